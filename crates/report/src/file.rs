//! Figures into files: SVG text and PNG.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::drawing::IntoDrawingArea as _;
use png::{BitDepth, ColorType, Encoder, EncodingError, PixelDimensions, Unit};

use crate::canvas::{Canvas, Medium};
use crate::{Picture, ReportError, style};

/// Channels of a pixel: red, green, blue.
const CHANNELS: usize = 3;

/// Says why `folder` cannot take figures, if it is missing or not a folder.
pub(crate) fn check_folder(folder: &Path) -> Result<(), ReportError> {
    let error = |source| ReportError::Folder {
        path: folder.to_owned(),
        source,
    };
    let found = fs::metadata(folder).map_err(error)?;
    if found.is_dir() {
        Ok(())
    } else {
        Err(error(io::Error::from(io::ErrorKind::NotADirectory)))
    }
}

/// Size of the drawing in device pixels.
fn drawing_size() -> (u32, u32) {
    let size = |page: f64| page as u32 * style::OVERSAMPLING;
    (size(style::PAGE_WIDTH), size(style::PAGE_HEIGHT))
}

/// Writes a figure as SVG; returns the file.
pub(crate) fn write_svg(figure: &impl Picture, folder: &Path) -> Result<PathBuf, ReportError> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, drawing_size()).into_drawing_area();
        let canvas = Canvas::new(area, Medium::Vector);
        let drawn = figure.draw(&canvas).and_then(|()| canvas.present());
        drawn.map_err(|e| ReportError::Draw {
            figure: figure.name(),
            source: Box::new(e),
        })?;
    }
    // The page's size outside, the finer drawing's inside: the picture is scaled down by the viewer.
    let (width, height) = drawing_size();
    let drawn = format!("<svg width=\"{width}\" height=\"{height}\"");
    let page = format!(
        "<svg width=\"{}\" height=\"{}\"",
        style::PAGE_WIDTH,
        style::PAGE_HEIGHT
    );
    let text = text.replacen(&drawn, &page, 1);
    let path = folder.join(format!("{}.svg", figure.name()));
    fs::write(&path, text).map_err(|source| ReportError::Write {
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

/// Writes a figure as PNG; returns the file.
pub(crate) fn write_png(figure: &impl Picture, folder: &Path) -> Result<PathBuf, ReportError> {
    let (width, height) = drawing_size();
    let mut pixels = vec![0; width as usize * height as usize * CHANNELS];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        let canvas = Canvas::new(area, Medium::Raster);
        let drawn = figure.draw(&canvas).and_then(|()| canvas.present());
        drawn.map_err(|e| ReportError::Draw {
            figure: figure.name(),
            source: Box::new(e),
        })?;
    }
    let averaged = averaged(&pixels, width as usize);
    let path = folder.join(format!("{}.png", figure.name()));
    let write_error = |source| ReportError::Write {
        path: path.clone(),
        source,
    };
    let mut out = BufWriter::new(File::create(&path).map_err(write_error)?);
    encode(&averaged, &mut out).map_err(|source| match source {
        EncodingError::IoError(source) => write_error(source),
        source => ReportError::Encode {
            path: path.clone(),
            source,
        },
    })?;
    // A full disk shows only when the rest is written.
    out.flush().map_err(write_error)?;
    Ok(path)
}

/// The page's pixels: each the mean of the square of drawn pixels that lies on it.
fn averaged(drawn: &[u8], width: usize) -> Vec<u8> {
    let factor = style::OVERSAMPLING as usize;
    let row = width * CHANNELS;
    let mut page = Vec::with_capacity(drawn.len() / (factor * factor));
    for rows in drawn.chunks_exact(row * factor) {
        for x in 0..width / factor {
            for channel in 0..CHANNELS {
                let mut sum = 0;
                for dy in 0..factor {
                    for dx in 0..factor {
                        sum += usize::from(rows[dy * row + (x * factor + dx) * CHANNELS + channel]);
                    }
                }
                page.push(((sum + factor * factor / 2) / (factor * factor)) as u8);
            }
        }
    }
    page
}

/// Writes `pixels` of the page as PNG.
fn encode(pixels: &[u8], out: &mut impl io::Write) -> Result<(), EncodingError> {
    let mut encoder = Encoder::new(out, style::PAGE_WIDTH as u32, style::PAGE_HEIGHT as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let density = style::PIXELS_PER_METRE;
    encoder.set_pixel_dims(Some(PixelDimensions {
        xppu: density,
        yppu: density,
        unit: Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()
}
