//! How the window is laid out: top bar, form, centre, verdicts, bottom.

use std::sync::Arc;

use egui::{Button, CentralPanel, Label, Panel, RichText, Ui};

use ballast_study::outcome::Status;

use crate::action::{Action, Actions};
use crate::command::{Command, Menu};
use crate::plot::ViewContext;
use crate::theme::Theme;
use crate::views;
use crate::widgets::status;

use super::{App, Bottom, Page};

/// Below this width (points) form and verdicts are pages of the centre.
const NARROW: f32 = 900.0;
/// Below this height the bottom opens over at most this share of the window.
const BOTTOM_SHARE: f32 = 0.4;

impl App {
    /// Draws the whole window.
    pub(super) fn window(&mut self, ui: &mut Ui, actions: &mut Actions) {
        let theme = Theme::of(ui.ctx());
        let size = ui.ctx().content_rect().size();
        let narrow = size.x < NARROW;
        if !narrow && matches!(self.page, Page::Form | Page::Verdicts) {
            self.page = Page::Plots;
        }
        let frame = theme.panel_frame();
        Panel::top("top")
            .frame(frame)
            .show(ui, |ui| self.top(ui, theme, actions));
        Panel::bottom("status")
            .frame(frame)
            .show(ui, |ui| self.status(ui, theme));
        if self.bottom_open {
            let sizes = theme.panels();
            Panel::bottom(self.panel_id("bottom"))
                .frame(frame)
                .resizable(true)
                .default_size(sizes.bottom_height.min(size.y * BOTTOM_SHARE))
                .size_range(sizes.bottom_height_min..=size.y * BOTTOM_SHARE)
                .show(ui, |ui| self.bottom(ui, theme, actions));
        }
        let sides = self.open && !narrow && self.page != Page::Welcome;
        if sides && self.prefs.show_form {
            let sizes = theme.panels();
            Panel::left(self.panel_id("form"))
                .frame(frame)
                .resizable(true)
                .default_size(sizes.form_width)
                .size_range(sizes.form_width_min..=size.x * 0.4)
                .show(ui, |ui| self.form_side(ui, theme, actions));
        }
        if sides && self.prefs.show_verdicts && self.page != Page::Live {
            let sizes = theme.panels();
            Panel::right(self.panel_id("verdicts"))
                .frame(frame)
                .resizable(true)
                .default_size(sizes.verdicts_width)
                .size_range(sizes.verdicts_width_min..=size.x * 0.4)
                .show(ui, |ui| self.verdicts_side(ui, theme, actions));
        }
        // Fields stand out on the ground of panels.
        let ground = if self.page == Page::Form {
            theme.panel
        } else {
            theme.window
        };
        CentralPanel::default()
            .frame(frame.fill(ground))
            .show(ui, |ui| {
                self.tabs(ui, narrow, actions);
                self.centre(ui, theme, actions);
            });
        let ctx = ui.ctx().clone();
        self.dialogs(&ctx);
        self.palette(&ctx, actions);
        Self::drop_hint(&ctx, theme);
    }

    /// A panel's name; another one after the layout was reset, so that it begins at its first size.
    fn panel_id(&self, name: &'static str) -> (&'static str, u32) {
        (name, self.prefs.layout)
    }

    /// Where the form is: a page of its own if the window is narrow.
    pub(super) fn page_for_form(&mut self) {
        if self.ctx.content_rect().width() < NARROW {
            self.page = Page::Form;
        }
    }

    fn context<'a>(&self, theme: &'a Theme, actions: &'a mut Actions) -> ViewContext<'a> {
        ViewContext {
            theme,
            time: self.time,
            stale: self.stale(),
            actions,
        }
    }

    fn top(&mut self, ui: &mut Ui, theme: &Theme, actions: &mut Actions) {
        ui.horizontal_wrapped(|ui| {
            for menu in Menu::ALL {
                self.menu(ui, menu, actions);
            }
            ui.separator();
            if self.open {
                ui.label(RichText::new(self.name()).strong());
                if self.document.changed() {
                    ui.label(RichText::new("not saved").color(theme.warning))
                        .on_hover_text(
                            "There are changes that are not in the file; a draft of them is kept",
                        );
                }
                ui.separator();
                self.run_state(ui, theme, actions);
                self.overall(ui, theme);
            } else {
                ui.label(RichText::new("Ballast").strong());
            }
        });
        if self.restored {
            ui.horizontal_wrapped(|ui| {
                ui.label(
                    RichText::new("Changes that were not saved last time are back")
                        .color(theme.warning),
                );
                if ui.button("Keep").clicked() {
                    self.restored = false;
                }
                if ui
                    .button("Discard")
                    .on_hover_text("Take what was saved; undo brings the changes back")
                    .clicked()
                {
                    self.revert();
                }
            });
        }
    }

    fn menu(&mut self, ui: &mut Ui, menu: Menu, actions: &mut Actions) {
        ui.menu_button(menu.text(), |ui| {
            // A low window has no room for every entry.
            let room = ui.ctx().content_rect().height() - 4.0 * ui.spacing().interact_size.y;
            ui.set_max_height(room);
            egui::ScrollArea::vertical().show(ui, |ui| self.menu_entries(ui, menu, actions));
        });
    }

    fn menu_entries(&self, ui: &mut Ui, menu: Menu, actions: &mut Actions) {
        for command in menu.commands() {
            self.menu_entry(ui, command, actions);
            if command == Command::Open {
                self.menu_recent(ui, actions);
            }
        }
        if menu == Menu::View {
            ui.separator();
            self.menu_tiles(ui, actions);
        }
    }

    fn menu_entry(&self, ui: &mut Ui, command: Command, actions: &mut Actions) {
        let on = command.on(self);
        let mut button = Button::selectable(on == Some(true), command.text());
        if let Some(shortcut) = command.shortcut() {
            button = button.shortcut_text(ui.ctx().format_shortcut(&shortcut));
        }
        let entry = ui
            .add_enabled(command.enabled(self), button)
            .on_hover_text(command.tooltip());
        if entry.clicked() {
            actions.push(Action::Command(command));
            ui.close();
        }
    }

    fn menu_recent(&self, ui: &mut Ui, actions: &mut Actions) {
        if self.prefs.recent.is_empty() {
            return;
        }
        ui.menu_button("Open recent", |ui| {
            for path in &self.prefs.recent {
                if ui.button(path.display().to_string()).clicked() {
                    actions.push(Action::Open(path.clone()));
                    ui.close();
                }
            }
        });
    }

    /// What the run is doing.
    fn run_state(&self, ui: &mut Ui, theme: &Theme, actions: &mut Actions) {
        if let Some(share) = self.engine.shown_progress() {
            let bar = egui::ProgressBar::new(share as f32)
                .desired_width(theme.panels().field_width)
                .text(format!("Running {:.0} %", share * 100.0));
            ui.add(bar);
            if ui
                .button(Command::CancelRun.text())
                .on_hover_text(Command::CancelRun.tooltip())
                .clicked()
            {
                actions.push(Action::Command(Command::CancelRun));
            }
        } else if !self.problems.is_empty() {
            let text = match self.problems.len() {
                1 => "1 problem".to_owned(),
                n => format!("{n} problems"),
            };
            status::marked(ui, theme, Status::Fail, RichText::new(text)).on_hover_text(
                "The scenario does not run before they are mended: see the list at the bottom",
            );
        } else if let Some(long) = &self.runs.waits {
            ui.label(RichText::new(format!("Takes {long}")).color(theme.muted));
            if ui
                .button("Run")
                .on_hover_text(Command::Run.tooltip())
                .clicked()
            {
                actions.push(Action::Command(Command::Run));
            }
        } else if self.result().is_none() || self.stale() {
            ui.label(RichText::new("Not run").color(theme.muted));
            if ui
                .button("Run")
                .on_hover_text(Command::Run.tooltip())
                .clicked()
            {
                actions.push(Action::Command(Command::Run));
            }
        } else if let Some(result) = self.result() {
            let took = result.took.as_secs_f64();
            ui.label(RichText::new(format!("Up to date in {took:.2} s")).color(theme.muted));
        }
    }

    /// The overall verdict.
    fn overall(&self, ui: &mut Ui, theme: &Theme) {
        let Some(result) = self.result() else {
            return;
        };
        ui.separator();
        let overall = result.outcome.overall;
        let label = overall.label();
        let shown = if self.stale() {
            let text = format!("{label} before the change");
            ui.label(RichText::new(text).color(theme.muted))
        } else {
            status::marked(ui, theme, overall, RichText::new(label).strong())
        };
        shown.on_hover_text(&result.outcome.summary);
    }

    /// One line at the bottom: counts, the newest notice.
    fn status(&mut self, ui: &mut Ui, theme: &Theme) {
        let jobs = self.engine.jobs();
        ui.horizontal_wrapped(|ui| {
            for (which, text) in [
                (
                    Bottom::Problems,
                    format!("Problems ({})", self.problems.len()),
                ),
                (Bottom::Jobs, format!("Jobs ({})", jobs.len())),
                (Bottom::Notices, format!("Notices ({})", self.notices.len())),
            ] {
                let on = self.bottom_open && self.bottom == which;
                if ui.selectable_label(on, text).clicked() {
                    self.bottom_open = !on;
                    self.bottom = which;
                }
            }
            if !self.notices.is_empty() {
                ui.separator();
            }
            match self.notices.last() {
                Some(notice) if notice.error => {
                    status::marked_long(ui, theme, Status::Fail, RichText::new(&notice.text));
                }
                Some(notice) => {
                    ui.label(RichText::new(&notice.text).color(theme.muted));
                }
                None => {}
            }
        });
    }

    fn bottom(&mut self, ui: &mut Ui, theme: &Theme, actions: &mut Actions) {
        egui::ScrollArea::vertical()
            .id_salt("bottom")
            .auto_shrink(false)
            .show(ui, |ui| match self.bottom {
                Bottom::Problems => {
                    let mut cx = self.context(theme, actions);
                    views::problems::show(ui, &mut cx, &self.problems);
                }
                Bottom::Jobs => {
                    let jobs = self.engine.jobs();
                    let mut cx = self.context(theme, actions);
                    views::jobs::show(ui, &mut cx, &jobs);
                }
                Bottom::Notices => {
                    if self.notices.is_empty() {
                        ui.label("Nothing to tell so far");
                    }
                    for notice in self.notices.iter().rev() {
                        if notice.error {
                            let text = RichText::new(&notice.text);
                            ui.horizontal_wrapped(|ui| {
                                status::marked_long(ui, theme, Status::Fail, text);
                            });
                        } else {
                            ui.label(&notice.text);
                        }
                    }
                }
            });
    }

    fn form_side(&mut self, ui: &mut Ui, theme: &Theme, actions: &mut Actions) {
        let mut cx = ViewContext {
            theme,
            time: self.time,
            stale: self
                .runs
                .result
                .as_ref()
                .is_some_and(|r| *r.text != *self.document.text()),
            actions,
        };
        self.form_view.show(ui, &mut cx, &self.form);
    }

    fn verdicts_side(&mut self, ui: &mut Ui, theme: &Theme, actions: &mut Actions) {
        self.why_not(ui, theme, actions);
        let mut cx = self.context(theme, actions);
        let result = self.runs.result.as_deref();
        views::verdicts::show(ui, &mut cx, result);
    }

    /// Says above the verdicts why there are none of the scenario as it stands, where it waits for its user.
    fn why_not(&mut self, ui: &mut Ui, theme: &Theme, actions: &mut Actions) {
        if let Some(problem) = self.problems.first() {
            status::marked(
                ui,
                theme,
                Status::Fail,
                RichText::new("Does not run").heading(),
            );
            let message = match problem.line {
                Some(line) => format!("Line {line}: {}", problem.message),
                None => problem.message.clone(),
            };
            ui.add(Label::new(message).wrap());
            if !problem.help.is_empty() {
                let help = RichText::new(&problem.help).color(theme.muted);
                ui.add(Label::new(help).wrap());
            }
            if self.problems.len() > 1 {
                let all = format!("Show all {} problems", self.problems.len());
                if ui.link(all).clicked() {
                    self.bottom_open = true;
                    self.bottom = Bottom::Problems;
                }
            }
        } else if let (Some(long), false) = (&self.runs.waits, self.running()) {
            ui.add(Label::new(format!("This run takes {long}: it starts when you say so")).wrap());
            let run = Button::new("Start the run")
                .min_size(egui::vec2(0.0, theme.panels().button_height));
            if ui.add(run).on_hover_text(Command::Run.tooltip()).clicked() {
                actions.push(Action::Command(Command::Run));
            }
        } else {
            return;
        }
        ui.add_space(theme.space().small);
        ui.separator();
    }

    /// The pages of the centre.
    fn tabs(&mut self, ui: &mut Ui, narrow: bool, actions: &mut Actions) {
        if !self.open && self.page != Page::Live {
            return;
        }
        let mut pages = vec![];
        if self.open {
            if narrow {
                pages.push((Page::Form, "Scenario", "The scenario as a form"));
            }
            pages.push((Page::Plots, "Plots", Command::ShowPlots.tooltip()));
            if narrow {
                pages.push((Page::Verdicts, "Verdicts", "Verdicts and figures"));
            }
            pages.push((Page::Text, "Text", Command::ToggleText.tooltip()));
            pages.push((Page::Compare, "Compare", Command::ShowCompare.tooltip()));
        }
        pages.push((Page::Live, "Live power", Command::ToggleLive.tooltip()));
        pages.push((Page::Welcome, "Welcome", Command::Welcome.tooltip()));
        ui.horizontal_wrapped(|ui| {
            for (page, text, tooltip) in pages {
                let tab = ui
                    .selectable_label(self.page == page, text)
                    .on_hover_text(tooltip);
                if tab.clicked() {
                    self.page = page;
                }
            }
            if self.page == Page::Plots {
                ui.separator();
                for command in [Command::ZoomAll, Command::Pin] {
                    let button = ui
                        .add_enabled(command.enabled(self), Button::new(command.text()))
                        .on_hover_text(command.tooltip());
                    if button.clicked() {
                        actions.push(Action::Command(command));
                    }
                }
            }
        });
        ui.add_space(Theme::of(ui.ctx()).space().small);
    }

    fn centre(&mut self, ui: &mut Ui, theme: &Theme, actions: &mut Actions) {
        let page = if self.open || self.page == Page::Live {
            self.page
        } else {
            Page::Welcome
        };
        match page {
            Page::Welcome => {
                let model = views::welcome::Welcome {
                    examples: super::examples::ALL,
                    first: super::examples::FIRST,
                    recent: &self.prefs.recent,
                    open: self.open.then(|| self.name()),
                };
                let mut cx = self.context(theme, actions);
                views::welcome::show(ui, &mut cx, &model);
            }
            Page::Form => self.form_side(ui, theme, actions),
            Page::Verdicts => self.verdicts_side(ui, theme, actions),
            Page::Plots => {
                let mut cx = ViewContext {
                    theme,
                    time: self.time,
                    stale: self
                        .runs
                        .result
                        .as_ref()
                        .is_some_and(|r| *r.text != *self.document.text()),
                    actions,
                };
                let result = self.runs.result.as_deref();
                // A pinned result that is the shown one would only hide it.
                let beside: Vec<_> = self
                    .pinned
                    .iter()
                    .filter(|p| result.is_none_or(|r| !Arc::ptr_eq(&p.outcome, &r.outcome)))
                    .cloned()
                    .collect();
                self.tiles.show(ui, &mut cx, result, &beside);
            }
            Page::Text => self.text_editor(ui, theme, actions),
            Page::Compare => {
                let mut cx = self.context(theme, actions);
                let result = self.runs.result.as_deref();
                let beside = if self.runs.compared.is_empty() {
                    &self.pinned
                } else {
                    &self.runs.compared
                };
                views::compare::show(ui, &mut cx, result, beside);
            }
            Page::Live => {
                let mut cx = ViewContext {
                    theme,
                    time: self.time,
                    stale: false,
                    actions,
                };
                self.live_view.show(ui, &mut cx, &self.live);
            }
        }
    }

    /// The document as text.
    fn text_editor(&mut self, ui: &mut Ui, theme: &Theme, actions: &mut Actions) {
        let now = self.document.text();
        if *self.editor.1 != *now {
            now.clone_into(&mut self.editor.0);
            self.editor.1 = now.into();
        }
        egui::ScrollArea::both()
            .id_salt("text")
            .auto_shrink(false)
            .show(ui, |ui| {
                // Lines are not broken, so that their numbers, which problems name, stand beside them.
                let mut unbroken = |ui: &Ui, text: &dyn egui::TextBuffer, _: f32| {
                    let font = egui::TextStyle::Monospace.resolve(ui.style());
                    let text = text.as_str().to_owned();
                    ui.painter().layout_no_wrap(text, font, theme.text)
                };
                let lines = self.editor.0.split('\n').count();
                let digits = lines.to_string().len();
                let numbers: Vec<String> = (1..=lines).map(|n| format!("{n:>digits$}")).collect();
                let numbers = RichText::new(numbers.join("\n"))
                    .monospace()
                    .color(theme.muted);
                let margin = egui::Margin::same(theme.space().small as i8);
                let edited = ui
                    .horizontal_top(|ui| {
                        let gutter = egui::Frame::new().inner_margin(margin);
                        gutter.show(ui, |ui| {
                            ui.add(Label::new(numbers).selectable(false).extend());
                        });
                        let editor = egui::TextEdit::multiline(&mut self.editor.0)
                            .code_editor()
                            .hint_text("Text of the scenario")
                            .background_color(theme.field)
                            .margin(margin)
                            .layouter(&mut unbroken)
                            .desired_width(f32::INFINITY);
                        ui.add_sized(ui.available_size(), editor)
                    })
                    .inner;
                edited.widget_info(|| {
                    egui::WidgetInfo::labeled(
                        egui::accesskit::Role::MultilineTextInput,
                        true,
                        "Text of the scenario",
                    )
                });
                if edited.changed() {
                    self.editor.1 = self.editor.0.as_str().into();
                    actions.push(Action::SetText(self.editor.0.clone()));
                }
            });
    }

    /// Says that a file held over the window can be dropped.
    fn drop_hint(ctx: &egui::Context, theme: &Theme) {
        if ctx.input(|i| i.raw.hovered_files.is_empty()) {
            return;
        }
        egui::Area::new(egui::Id::unique("drop"))
            .anchor(egui::Align2::CENTER_CENTER, egui::Vec2::ZERO)
            .order(egui::Order::Foreground)
            .show(ctx, |ui| {
                theme.card_frame().show(ui, |ui| {
                    ui.heading("Drop the scenario to open it");
                });
            });
    }
}
