//! How the tiles lie: rows of tabs that the user drags, closes and opens.

use egui::{Ui, Vec2, WidgetText};
use egui_tiles::{
    Behavior, Container, LinearDir, SimplificationOptions, TabState, TileId, Tiles as Layout, Tree,
    UiResponse,
};

use crate::action::Action;
use crate::command::Command;
use crate::plot::ViewContext;
use crate::views::tiles::Tile;

/// Identifies the tree among others in egui's memory.
const ID: &str = "tiles of the centre";

/// How the tiles lie.
pub(crate) struct Arrangement {
    tree: Tree<Tile>,
}

impl Default for Arrangement {
    fn default() -> Self {
        let mut tiles = Layout::default();
        let mut tabs = |group: &[Tile]| {
            let panes = group.iter().map(|tile| tiles.insert_pane(*tile)).collect();
            tiles.insert_tab_tile(panes)
        };
        let power = tabs(&[Tile::Site, Tile::RackEnvelope, Tile::Phases]);
        let plant = tabs(&[Tile::Frequency, Tile::Voltage, Tile::Charge]);
        let load = tabs(&[Tile::Spectrum, Tile::Ramps, Tile::LoadDuration]);
        let map = tabs(&[Tile::RackMap]);
        let bottom = tiles.insert_horizontal_tile(vec![load, map]);
        let root = tiles.insert_vertical_tile(vec![power, plant, bottom]);
        Self {
            tree: Tree::new(egui::Id::unique(ID), root, tiles),
        }
    }
}

impl Arrangement {
    pub(crate) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut ViewContext<'_>,
        draw: impl FnMut(&mut Ui, &mut ViewContext<'_>, Tile),
    ) {
        let closed: Vec<Tile> = Tile::ALL
            .into_iter()
            .filter(|t| !self.is_open(*t))
            .collect();
        if closed.len() == Tile::ALL.len() {
            all_closed(ui, cx);
            return;
        }
        // Where there is not room enough for every plot, they lie below each other and scroll.
        let bar = ui.spacing().interact_size.y + cx.theme.space().small;
        let least = self.tree.root().map_or(Vec2::ZERO, |root| {
            let least = cx.theme.panels().plot_height_min;
            needed(&self.tree.tiles, root, Vec2::new(1.5 * least, least + bar))
        });
        let mut asked = Vec::new();
        if ui.available_width() < least.x || ui.available_height() < least.y {
            self.stacked(ui, cx, draw, (&closed, &mut asked));
        } else {
            let mut behaviour = Tabs {
                cx,
                draw,
                closed,
                asked: Vec::new(),
            };
            self.tree.ui(&mut behaviour, ui);
            asked = behaviour.asked;
        }
        for tile in asked {
            cx.actions.push(Action::ToggleTile(tile));
        }
    }

    /// The same tabs below each other, in a scroll area.
    fn stacked(
        &mut self,
        ui: &mut Ui,
        cx: &mut ViewContext<'_>,
        mut draw: impl FnMut(&mut Ui, &mut ViewContext<'_>, Tile),
        (closed, asked): (&[Tile], &mut Vec<Tile>),
    ) {
        let mut groups = Vec::new();
        if let Some(root) = self.tree.root() {
            gather(&self.tree.tiles, root, &mut groups);
        }
        let theme = cx.theme;
        let height = theme.panels().plot_height_min * 1.5;
        let scroll = egui::ScrollArea::vertical().id_salt(ID).auto_shrink(false);
        scroll.show(ui, |ui| {
            // The bar lies over the content.
            ui.set_width(ui.available_width() - theme.space().large);
            for (group, members) in groups {
                let active = match self.tree.tiles.get_container(group) {
                    Some(Container::Tabs(tabs)) => tabs.active,
                    _ => None,
                };
                let mut shown = active
                    .and_then(|a| members.iter().position(|(id, _)| *id == a))
                    .unwrap_or(0);
                ui.horizontal_wrapped(|ui| {
                    for (n, (_, tile)) in members.iter().enumerate() {
                        let tab = ui.selectable_label(n == shown, tile.title());
                        if tab.on_hover_text(tile.help()).clicked() {
                            shown = n;
                        }
                    }
                    open_closed(ui, closed, asked);
                });
                let Some((id, tile)) = members.get(shown).copied() else {
                    continue;
                };
                if let Some(egui_tiles::Tile::Container(Container::Tabs(tabs))) =
                    self.tree.tiles.get_mut(group)
                {
                    tabs.set_active(id);
                }
                let frame = egui::Frame::new()
                    .fill(theme.panel)
                    .inner_margin(theme.space().small as i8);
                ui.push_id(id, |ui| {
                    frame.show(ui, |ui| {
                        ui.set_height(height);
                        ui.set_width(ui.available_width());
                        draw(ui, cx, tile);
                    });
                });
            }
        });
    }

    pub(crate) fn is_open(&self, tile: Tile) -> bool {
        let found = self.tree.tiles.find_pane(&tile);
        found.is_some_and(|id| self.tree.is_visible(id))
    }

    pub(crate) fn toggle(&mut self, tile: Tile) {
        let Some(id) = self.tree.tiles.find_pane(&tile) else {
            return;
        };
        let open = !self.tree.is_visible(id);
        self.tree.set_visible(id, open);
        if open {
            self.tree.make_active(|other, _| other == id);
        }
    }

    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(&self.tree).unwrap_or_default()
    }

    /// None where the text is none of this program, or lacks a tile.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let tree: Tree<Tile> = serde_json::from_str(text).ok()?;
        let root = tree.root()?;
        let mut found = Vec::new();
        panes(&tree.tiles, root, 0, &mut found)?;
        found.sort_unstable();
        let mut all = Tile::ALL.to_vec();
        all.sort_unstable();
        (found == all && tree.id() == egui::Id::unique(ID)).then_some(Self { tree })
    }
}

/// Gathers the visible panes below a tile, by the tabs they lie in.
fn gather(tiles: &Layout<Tile>, id: TileId, groups: &mut Vec<(TileId, Vec<(TileId, Tile)>)>) {
    match tiles.get(id) {
        Some(egui_tiles::Tile::Pane(tile)) => groups.push((id, vec![(id, *tile)])),
        Some(egui_tiles::Tile::Container(container)) => {
            let visible: Vec<TileId> = container
                .children()
                .copied()
                .filter(|c| tiles.is_visible_in_layout(*c))
                .collect();
            let panes: Vec<(TileId, Tile)> = visible
                .iter()
                .filter_map(|c| tiles.get_pane(c).map(|tile| (*c, *tile)))
                .collect();
            if matches!(container, Container::Tabs(_)) && !panes.is_empty() {
                groups.push((id, panes));
            } else {
                for child in visible {
                    gather(tiles, child, groups);
                }
            }
        }
        None => {}
    }
}

/// A menu of the plots that are closed, where there are any.
fn open_closed(ui: &mut Ui, closed: &[Tile], asked: &mut Vec<Tile>) {
    if closed.is_empty() {
        return;
    }
    let menu = ui.menu_button("+", |ui| {
        for tile in closed {
            if ui.button(tile.title()).on_hover_text(tile.help()).clicked() {
                asked.push(*tile);
            }
        }
    });
    let response = menu.response.on_hover_text("Open a plot that is closed");
    response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Open a closed plot"));
}

/// Gathers the panes below a tile; none where a tile is missing or the tree is deeper than any hand makes it.
fn panes(tiles: &Layout<Tile>, id: TileId, depth: usize, found: &mut Vec<Tile>) -> Option<()> {
    if depth > 64 || found.len() > Tile::ALL.len() {
        return None;
    }
    match tiles.get(id)? {
        egui_tiles::Tile::Pane(tile) => found.push(*tile),
        egui_tiles::Tile::Container(container) => {
            for child in container.children() {
                panes(tiles, *child, depth + 1, found)?;
            }
        }
    }
    Some(())
}

/// Room that a tile needs if each pane needs `pane`.
fn needed(tiles: &Layout<Tile>, id: TileId, pane: Vec2) -> Vec2 {
    let Some(egui_tiles::Tile::Container(container)) = tiles.get(id) else {
        return pane;
    };
    let visible = container
        .children()
        .filter(|c| tiles.is_visible_in_layout(**c));
    let sizes = visible.map(|child| needed(tiles, *child, pane));
    let along = |a: Vec2, b: Vec2, dir| match dir {
        LinearDir::Horizontal => Vec2::new(a.x + b.x, a.y.max(b.y)),
        LinearDir::Vertical => Vec2::new(a.x.max(b.x), a.y + b.y),
    };
    match container {
        Container::Linear(linear) => sizes.fold(Vec2::ZERO, |a, b| along(a, b, linear.dir)),
        // A grid can put them all below each other.
        Container::Grid(_) => sizes.fold(Vec2::ZERO, |a, b| along(a, b, LinearDir::Vertical)),
        Container::Tabs(_) => sizes.fold(pane, Vec2::max),
    }
}

fn all_closed(ui: &mut Ui, cx: &mut ViewContext<'_>) {
    ui.add_space(cx.theme.space().huge);
    ui.vertical_centered(|ui| {
        ui.label("All plots are closed. Open one, or lay them as at first.");
        ui.add_space(cx.theme.space().medium);
        ui.horizontal_wrapped(|ui| {
            for tile in Tile::ALL {
                if ui.button(tile.title()).on_hover_text(tile.help()).clicked() {
                    cx.actions.push(Action::ToggleTile(tile));
                }
            }
        });
        ui.add_space(cx.theme.space().medium);
        if ui.button("Reset layout").clicked() {
            cx.actions.push(Action::Command(Command::ResetLayout));
        }
    });
}

/// How egui_tiles is to treat the tiles.
struct Tabs<'a, 'b, F> {
    cx: &'a mut ViewContext<'b>,
    draw: F,
    closed: Vec<Tile>,
    asked: Vec<Tile>,
}

impl<F: FnMut(&mut Ui, &mut ViewContext<'_>, Tile)> Behavior<Tile> for Tabs<'_, '_, F> {
    fn pane_ui(&mut self, ui: &mut Ui, _id: TileId, tile: &mut Tile) -> UiResponse {
        let theme = self.cx.theme;
        let margin = theme.space().small as i8;
        let frame = egui::Frame::new().fill(theme.panel).inner_margin(margin);
        frame.show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            (self.draw)(ui, self.cx, *tile);
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, tile: &Tile) -> WidgetText {
        tile.title().into()
    }

    fn is_tab_closable(&self, _tiles: &Layout<Tile>, _id: TileId) -> bool {
        true
    }

    fn on_tab_close(&mut self, tiles: &mut Layout<Tile>, id: TileId) -> bool {
        self.asked.extend(tiles.get_pane(&id));
        // The tile keeps its place: it is hidden by the action.
        false
    }

    fn on_tab_button(
        &mut self,
        tiles: &mut Layout<Tile>,
        id: TileId,
        response: egui::Response,
    ) -> egui::Response {
        match tiles.get_pane(&id) {
            Some(tile) => response.on_hover_text(tile.help()),
            None => response,
        }
    }

    fn top_bar_right_ui(
        &mut self,
        _tiles: &Layout<Tile>,
        ui: &mut Ui,
        _id: TileId,
        _tabs: &egui_tiles::Tabs,
        _scroll: &mut f32,
    ) {
        open_closed(ui, &self.closed, &mut self.asked);
    }

    fn tab_bar_height(&self, style: &egui::Style) -> f32 {
        style.spacing.interact_size.y + self.cx.theme.space().small
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        self.cx.theme.space().small
    }

    fn min_size(&self) -> f32 {
        self.cx.theme.panels().plot_height_min / 2.0
    }

    fn tab_bar_color(&self, _visuals: &egui::Visuals) -> egui::Color32 {
        self.cx.theme.window
    }

    fn tab_bg_color(
        &self,
        _visuals: &egui::Visuals,
        _tiles: &Layout<Tile>,
        _id: TileId,
        state: &TabState,
    ) -> egui::Color32 {
        if state.active {
            self.cx.theme.panel
        } else {
            self.cx.theme.window
        }
    }

    fn tab_outline_stroke(
        &self,
        _visuals: &egui::Visuals,
        _tiles: &Layout<Tile>,
        _id: TileId,
        _state: &TabState,
    ) -> egui::Stroke {
        egui::Stroke::NONE
    }

    fn tab_text_color(
        &self,
        _visuals: &egui::Visuals,
        _tiles: &Layout<Tile>,
        _id: TileId,
        state: &TabState,
    ) -> egui::Color32 {
        if state.active {
            self.cx.theme.text
        } else {
            self.cx.theme.muted
        }
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions {
            all_panes_must_have_tabs: true,
            ..SimplificationOptions::default()
        }
    }
}
