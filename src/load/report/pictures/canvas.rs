//! Draws panels with plotters and makes its SVG fit the page: colours become the page's own, so that light and dark are one drawing;
//! the size becomes a shape that scales.

use crate::error::{Error, Result};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fmt::Display;
use std::ops::Range;

/// plotters counts in whole units: with four to a pixel, slopes are smooth.
const FINE: u32 = 4;
const LETTER: u32 = 12;
/// The width of a letter, about: the page's font is not known here.
const LETTER_WIDE: f64 = 6.6;
const LEFT: u32 = 58;
const RIGHT: u32 = 28;
const BELOW: u32 = 24;
const ABOVE: u32 = 18;

/// What something is drawn with. The page's style says which colour that is, in light and in dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Text,
    Grid,
    Frame,
    Median,
    High,
    Higher,
    Highest,
    Due,
    Accepted,
    Shed,
    Failed,
    Mark,
    Limit,
    /// Of several alike: phases, runs.
    Nth(usize),
}

/// How many of several alike can be told apart.
pub const ALIKE: usize = 6;

impl Ink {
    const FIXED: [Ink; 13] = [
        Ink::Text,
        Ink::Grid,
        Ink::Frame,
        Ink::Median,
        Ink::High,
        Ink::Higher,
        Ink::Highest,
        Ink::Due,
        Ink::Accepted,
        Ink::Shed,
        Ink::Failed,
        Ink::Mark,
        Ink::Limit,
    ];

    fn all() -> impl Iterator<Item = Ink> {
        Self::FIXED.into_iter().chain((0..ALIKE).map(Ink::Nth))
    }

    /// Of the style sheet.
    pub fn variable(self) -> String {
        match self {
            Ink::Text => "--quiet".to_owned(),
            Ink::Grid => "--grid".to_owned(),
            Ink::Frame => "--control-line".to_owned(),
            Ink::Median => "--median".to_owned(),
            Ink::High => "--high".to_owned(),
            Ink::Higher => "--higher".to_owned(),
            Ink::Highest => "--highest".to_owned(),
            Ink::Due => "--due".to_owned(),
            Ink::Accepted => "--accepted".to_owned(),
            Ink::Shed => "--shed".to_owned(),
            Ink::Failed => "--failed".to_owned(),
            Ink::Mark => "--mark".to_owned(),
            Ink::Limit => "--limit".to_owned(),
            Ink::Nth(nth) => format!("--nth-{}", nth % ALIKE + 1),
        }
    }

    /// Dashes in pixels, so that lines differ without their colours too.
    pub fn dashes(self) -> Option<&'static [u32]> {
        match self {
            Ink::Higher | Ink::Nth(1) => Some(&[7, 3]),
            Ink::Highest | Ink::Nth(2) => Some(&[2, 3]),
            Ink::Limit | Ink::Due | Ink::Nth(3) => Some(&[10, 4, 2, 4]),
            Ink::Mark => Some(&[3, 3]),
            Ink::Nth(4) => Some(&[4, 2]),
            Ink::Nth(5) => Some(&[12, 3]),
            _ => None,
        }
    }

    /// A colour that stands for the ink until [`dressed`].
    fn stand_in(self) -> RGBColor {
        let at = match self {
            Ink::Nth(nth) => Self::FIXED.len() + nth % ALIKE,
            fixed => Self::FIXED.iter().position(|&it| it == fixed).unwrap_or(0),
        };
        RGBColor(1, 0, at as u8)
    }
}

/// An axis, in units of its own: logarithms, where it is logarithmic.
#[derive(Debug, Clone)]
pub struct Axis {
    pub from: f64,
    pub to: f64,
    /// Where there is something written, and what.
    pub ticks: Vec<(f64, String)>,
}

/// What is drawn, from the back to the front.
#[derive(Debug, Clone)]
pub enum Shape {
    Line(Ink, Vec<(f64, f64)>),
    Dots(Ink, Vec<(f64, f64)>),
    /// Between two lines over the same places: (x, lower, upper).
    Area(Ink, Vec<(f64, f64, f64)>),
    /// A line across, with a word at its end.
    Level(Ink, f64, String),
    /// A line down, with a word beside it.
    Place(Ink, f64, String),
    /// A stretch with its name above, and a line where it begins.
    Stretch(f64, f64, String),
}

/// Axes and what is drawn between them.
#[derive(Debug, Clone)]
pub struct Panel {
    pub x: Axis,
    pub y: Axis,
    pub shapes: Vec<Shape>,
    /// Of the picture's height, in shares of all panels.
    pub height: u32,
}

/// The width and the height of a drawing, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Size(pub u32, pub u32);

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|tick| tick.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        self.ticks.iter().find(|tick| tick.0 == *value).map(|tick| tick.1.clone()).unwrap_or_default()
    }
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Draws panels below each other. `title` is what the drawing is called, `words` says what is to be seen; both come from anywhere.
///
/// # Errors
/// plotters refuses: a bug of ours.
pub fn draw(panels: &[Panel], size: Size, id: &str, title: &str, words: &str) -> Result<String> {
    let mut svg = String::new();
    let Size(width, height) = size;
    {
        let root = SVGBackend::with_string(&mut svg, (width * FINE, height * FINE)).into_drawing_area();
        let all: u32 = panels.iter().map(|panel| panel.height).sum();
        let mut rest = root.clone();
        for panel in panels {
            let (own, below) = rest.split_vertically(height * FINE * panel.height / all.max(1));
            draw_panel(panel, &own, width).map_err(refused)?;
            rest = below;
        }
        root.present().map_err(refused)?;
    }
    Ok(dressed(&svg, size, id, title, words))
}

fn refused(error: impl Display) -> Error {
    Error::internal(format!("a picture cannot be drawn: {error}"))
}

type Drawn<'b> = std::result::Result<(), DrawingAreaErrorKind<<SVGBackend<'b> as DrawingBackend>::ErrorType>>;

fn draw_panel<'b>(panel: &Panel, area: &DrawingArea<SVGBackend<'b>, plotters::coord::Shift>, width: u32) -> Drawn<'b> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(ABOVE * FINE)
        .margin_right(RIGHT * FINE)
        .x_label_area_size(BELOW * FINE)
        .y_label_area_size(LEFT * FINE)
        .build_cartesian_2d(panel.x.clone(), panel.y.clone())?;
    chart
        .configure_mesh()
        .bold_line_style(line(Ink::Grid, 1.0))
        .light_line_style(TRANSPARENT)
        .axis_style(line(Ink::Frame, 1.0))
        .label_style(letters(Ink::Text))
        .set_all_tick_mark_size(4 * FINE as i32)
        .draw()?;
    let plot = f64::from(width - LEFT - RIGHT);
    for shape in &panel.shapes {
        draw_shape(shape, panel, &mut chart, plot)?;
    }
    Ok(())
}

fn draw_shape<'b>(shape: &Shape, panel: &Panel, chart: &mut Chart<'_, 'b>, plot: f64) -> Drawn<'b> {
    let (x, y) = (&panel.x, &panel.y);
    let inside = |&(at, high): &(f64, f64)| (at.clamp(x.from, x.to), high.clamp(y.from, y.to));
    match shape {
        Shape::Line(ink, points) => {
            let points: Vec<_> = points.iter().map(inside).collect();
            chart.draw_series([PathElement::new(points, line(*ink, 1.75))])?;
        }
        Shape::Dots(ink, points) => {
            let dots = points.iter().map(inside).map(|at| Circle::new(at, 3 * FINE, ink.stand_in().filled()));
            chart.draw_series(dots)?;
        }
        Shape::Area(ink, points) => {
            let upper = points.iter().map(|&(at, _, upper)| (at, upper));
            let lower = points.iter().rev().map(|&(at, lower, _)| (at, lower));
            let around: Vec<_> = upper.chain(lower).map(|at| inside(&at)).collect();
            chart.draw_series([Polygon::new(around, ink.stand_in().mix(0.55))])?;
        }
        Shape::Level(ink, high, words) if (y.from..=y.to).contains(high) => {
            chart.draw_series([PathElement::new(vec![(x.from, *high), (x.to, *high)], line(*ink, 1.25))])?;
            // Beside the names above the panel there is no room: below its line, where that is high up.
            let high_up = *high > (y.from + y.to) / 2.0;
            let (side, away) = if high_up { (VPos::Top, 4) } else { (VPos::Bottom, -2) };
            written(words, (x.to, *high), (-4, away), (*ink, HPos::Right, side), chart)?;
        }
        Shape::Place(ink, at, words) if (x.from..=x.to).contains(at) => {
            chart.draw_series([PathElement::new(vec![(*at, y.from), (*at, y.to)], line(*ink, 1.25))])?;
            let right = (at - x.from) / (x.to - x.from) * plot + wide(words) + 8.0 > plot;
            let side = if right { HPos::Right } else { HPos::Left };
            // Above the panel: a level's words are inside.
            written(words, (*at, y.to), (0, -2), (*ink, side, VPos::Bottom), chart)?;
        }
        Shape::Level(..) | Shape::Place(..) => {}
        Shape::Stretch(from, to, name) => stretch(*from, *to, name, panel, chart, plot)?,
    }
    Ok(())
}

fn stretch<'b>(from: f64, to: f64, name: &str, panel: &Panel, chart: &mut Chart<'_, 'b>, plot: f64) -> Drawn<'b> {
    let (x, y) = (&panel.x, &panel.y);
    if from > x.from {
        chart.draw_series([PathElement::new(vec![(from, y.from), (from, y.to)], line(Ink::Mark, 1.0))])?;
    }
    let room = (to - from) / (x.to - x.from) * plot;
    if let Some(name) = fitted(name, room) {
        let anchor = letters(Ink::Text).pos(Pos::new(HPos::Center, VPos::Bottom));
        chart.draw_series([Text::new(name, ((from + to) / 2.0, y.to), anchor)])?;
    }
    Ok(())
}

/// Words some pixels away from a place.
fn written<'b>(
    words: &str,
    place: (f64, f64),
    (right, down): (i32, i32),
    (ink, across, high): (Ink, HPos, VPos),
    chart: &mut Chart<'_, 'b>,
) -> Drawn<'b> {
    let fine = FINE as i32;
    let text = Text::new(words.to_owned(), (right * fine, down * fine), letters(ink).pos(Pos::new(across, high)));
    chart.draw_series([EmptyElement::at(place) + text])?;
    Ok(())
}

/// A name, cut where it is too long for its room; `None` where nothing of it could be read.
fn fitted(name: &str, room: f64) -> Option<String> {
    let letters = ((room - 4.0) / LETTER_WIDE) as usize;
    match name.chars().count() {
        0 => None,
        count if count <= letters => Some(name.to_owned()),
        _ if letters < 7 => None,
        _ => Some(name.chars().take(letters - 1).chain(['…']).collect()),
    }
}

fn wide(words: &str) -> f64 {
    words.chars().count() as f64 * LETTER_WIDE
}

fn line(ink: Ink, pixels: f64) -> ShapeStyle {
    ink.stand_in().stroke_width((pixels * f64::from(FINE)) as u32)
}

fn letters(ink: Ink) -> TextStyle<'static> {
    // The backend divides by 1.24.
    let font: FontDesc<'static> = ("sans-serif", f64::from(LETTER * FINE) * 1.24).into();
    font.color(&ink.stand_in())
}

/// Colours of the page instead of the stand-ins, and a head that has a name for those who do not see the picture.
fn dressed(svg: &str, Size(width, height): Size, id: &str, title: &str, words: &str) -> String {
    let drawn = svg.split_once(">\n").map_or("", |(_, drawn)| drawn);
    let mut drawn =
        drawn.replace(" opacity=\"1\"", "").replace(" font-family=\"sans-serif\"", "").replace("\n</text>", "</text>");
    // plotters escapes marks, and lets controls through, which no page may hold.
    drawn = drawn.replace(|letter: char| letter.is_control() && letter != '\n', "\u{FFFD}");
    for ink in Ink::all() {
        let RGBColor(red, green, blue) = ink.stand_in();
        let (colour, variable) = (format!("=\"#{red:02X}{green:02X}{blue:02X}\""), ink.variable());
        let dashes = ink.dashes().map(|dashes| {
            let dashes: Vec<String> = dashes.iter().map(|dash| (dash * FINE).to_string()).collect();
            format!(" stroke-dasharray=\"{}\"", dashes.join(" "))
        });
        let stroke = format!("stroke=\"var({variable})\"{}", dashes.unwrap_or_default());
        drawn = drawn
            .replace(&format!("stroke{colour}"), &stroke)
            .replace(&format!("fill{colour}"), &format!("fill=\"var({variable})\""));
    }
    let (title, words) = (super::super::parts::escaped(title), super::super::parts::escaped(words));
    format!(
        "<svg role=\"img\" aria-labelledby=\"{id}-t {id}-d\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{words}</desc>\n{drawn}",
        width * FINE,
        height * FINE,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ink_has_its_own_stand_in_and_none_is_left_in_a_drawing() {
        let mut colours: Vec<u8> = Ink::all().map(|ink| ink.stand_in().2).collect();
        let many = colours.len();
        colours.sort_unstable();
        colours.dedup();
        assert_eq!(colours.len(), many);
        let axis = Axis { from: 0.0, to: 1.0, ticks: vec![(0.0, "#010003".to_owned())] };
        let shapes = Ink::all().map(|ink| Shape::Line(ink, vec![(0.0, 0.0), (1.0, 1.0)])).collect();
        let panel = Panel { x: axis.clone(), y: axis, shapes, height: 1 };
        let svg = draw(&[panel], Size(400, 200), "p", "<b>", "a & b").expect("drawn");
        assert!(!svg.contains("\"#0100") && svg.contains("#010003"), "colours are replaced, words are not");
        assert!(svg.contains("&lt;b&gt;") && svg.contains("a &amp; b"));
    }

    #[test]
    fn a_name_is_cut_to_its_room() {
        assert_eq!(fitted("steady", 100.0).as_deref(), Some("steady"));
        assert_eq!(fitted("a very long name of a phase", 60.0).as_deref(), Some("a very …"));
        assert_eq!((fitted("steady", 20.0), fitted("", 100.0)), (None, None));
    }
}
