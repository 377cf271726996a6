//! Wait against messages as an SVG: each policy is a point, both axes are logarithmic, and the lines through a point are its
//! confidence intervals. Down and to the left is better.

use std::fmt::Write;

use super::batch::Compared;
use super::labels::{Area, Mark, end_of_leader, placed};
use super::statistics::Estimate;

const WIDTH: f64 = 1060.0;
const HEIGHT: f64 = 600.0;
/// Where the axes are: from the left, the top, the right and the bottom.
const MARGINS: [f64; 4] = [80.0, 70.0, 290.0, 70.0];
/// So many characters of a title have room.
const TITLE: usize = 90;
/// So many of a policy's name.
const NAME: usize = 48;

/// An axis: the values at its ends, and where they are.
struct Axis {
    values: [f64; 2],
    places: [f64; 2],
}

impl Axis {
    /// An axis that shows all of these, with some room at both ends.
    fn of(values: impl Iterator<Item = f64>, places: [f64; 2]) -> Self {
        let positive = values.filter(|value| *value > 0.0);
        let (low, high) = positive.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let values = if low > high { [1.0, 10.0] } else { [low / 1.25, high * 1.25] };
        Self { values, places }
    }

    fn place(&self, value: f64) -> f64 {
        let [low, high] = self.values;
        let part = (value.clamp(low, high) / low).ln() / (high / low).ln();
        self.places[0] + part * (self.places[1] - self.places[0])
    }

    /// The round numbers 1, 2, 3, 5, 7 and their tenfolds.
    fn ticks(&self) -> Vec<f64> {
        let powers = (-2..6).map(|power| 10.0_f64.powi(power));
        let all = powers.flat_map(|power| [1.0, 2.0, 3.0, 5.0, 7.0].map(|digit| digit * power));
        all.filter(|tick| (self.values[0]..=self.values[1]).contains(tick)).collect()
    }
}

/// The picture: of a city that is about that, played for so many days.
#[must_use]
pub fn svg(about: &str, days: &str, compared: &[Compared]) -> String {
    let [left, top, right, bottom] = MARGINS;
    let messages: Vec<Estimate> = compared.iter().map(|each| each.estimate(|figures| figures.messages)).collect();
    let waits: Vec<Estimate> = compared.iter().map(|each| each.estimate(|figures| figures.ninety)).collect();
    let x = Axis::of(messages.iter().map(|estimate| estimate.mean), [left, WIDTH - right]);
    let y = Axis::of(waits.iter().map(|estimate| estimate.mean), [HEIGHT - bottom, top]);
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<title>{whole}, {days}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{left}\" y=\"32\" font-size=\"18\" font-weight=\"bold\">{title}, {days}</text>\n\
         <text x=\"{left}\" y=\"52\" fill=\"#555\">down and to the left is better; lines: 95 % confidence</text>\n",
        whole = escaped(about),
        title = escaped(&cut(about, TITLE - days.chars().count() - 2)),
    );
    axes(&mut svg, &x, &y);
    let words: Vec<String> = compared.iter().zip(messages.iter().zip(&waits)).map(words).collect();
    let marks: Vec<Mark> = words.iter().zip(messages.iter().zip(&waits)).map(|each| mark(each, &x, &y)).collect();
    let inside = Area { left: left + 4.0, top: top - 8.0, right: WIDTH - 4.0, bottom: HEIGHT - bottom - 2.0 };
    let labels = placed(&marks, &inside);
    for (index, label) in labels.iter().enumerate() {
        draw(&mut svg, &marks[index], label, &words[index], compared[index].rule.name == "default");
    }
    svg.push_str("</svg>\n");
    svg
}

/// What stands beside a point.
fn words((compared, (messages, wait)): (&Compared, (&Estimate, &Estimate))) -> String {
    format!("{} ({:.0} s, {:.1})", cut(&compared.rule.name, NAME), wait.mean, messages.mean)
}

/// The point and its lines.
fn mark((words, (messages, wait)): (&String, (&Estimate, &Estimate)), x: &Axis, y: &Axis) -> Mark {
    let ends = |axis: &Axis, estimate: &Estimate| {
        let margin = if estimate.margin.is_finite() { estimate.margin } else { 0.0 };
        [axis.place(estimate.mean - margin), axis.place(estimate.mean + margin)]
    };
    let at = [x.place(messages.mean), y.place(wait.mean)];
    Mark { at, across: ends(x, messages), along: ends(y, wait), characters: words.chars().count() }
}

/// The beginning of what is too long.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

/// A round number without the digits that binary fractions have.
fn plain(tick: f64) -> String {
    if tick < 1.0 { format!("{tick:.2}").trim_end_matches('0').to_owned() } else { format!("{tick:.0}") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn axes(svg: &mut String, x: &Axis, y: &Axis) {
    let ([left, right], [bottom, top]) = (x.places, y.places);
    for tick in x.ticks() {
        let at = x.place(tick);
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#333\">{}</text>",
            bottom + 20.0,
            plain(tick)
        );
    }
    for tick in y.ticks() {
        let at = y.place(tick);
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#333\">{}</text>",
            left - 8.0,
            at + 4.0,
            plain(tick)
        );
    }
    let _ = write!(
        svg,
        "<path d=\"M{left} {top}V{bottom}H{right}\" fill=\"none\" stroke=\"#333\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">messages per order</text>\n\
         <text transform=\"translate(24 {:.1}) rotate(-90)\" text-anchor=\"middle\">wait of nine orders in ten, seconds</text>\n",
        f64::midpoint(left, right),
        bottom + 48.0,
        f64::midpoint(top, bottom)
    );
}

fn draw(svg: &mut String, mark: &Mark, label: &Area, words: &str, is_default: bool) {
    let Mark { at: [at_x, at_y], across: [from_x, to_x], along: [from_y, to_y], .. } = mark;
    let [end_x, end_y] = end_of_leader(mark.at, label);
    let colour = if is_default { "#c2410c" } else { "#1d4ed8" };
    let _ = writeln!(
        svg,
        "<path d=\"M{from_x:.1} {at_y:.1}H{to_x:.1}M{at_x:.1} {from_y:.1}V{to_y:.1}\" stroke=\"{colour}\"/>\
         <path d=\"M{at_x:.1} {at_y:.1}L{end_x:.1} {end_y:.1}\" stroke=\"#999\"/>\
         <circle cx=\"{at_x:.1}\" cy=\"{at_y:.1}\" r=\"5\" fill=\"{colour}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{}\">{}</text>",
        if label.left >= *at_x { label.left } else { label.right },
        end_y + 4.0,
        if label.left >= *at_x { "start" } else { "end" },
        escaped(words),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::figures::Figures;
    use crate::simulate::rule::Rule;

    fn compared(name: &str, ninety: f64, messages: f64) -> Compared {
        let rule = Rule { name: name.to_owned(), ..Rule::default() };
        Compared { rule, seeds: vec![Figures { ninety, messages, ..Figures::default() }; 2] }
    }

    #[test]
    fn every_policy_is_a_labelled_point_on_axes_with_units() {
        let picture = svg("a <city>", "1 day", &[compared("default", 100.0, 8.0), compared("a&b", 101.0, 8.1)]);
        for expected in [
            "<title>a &lt;city&gt;, 1 day</title>",
            "default (100 s, 8.0)",
            "a&amp;b (101 s, 8.1)",
            "seconds",
            "per order",
        ] {
            assert!(picture.contains(expected), "{expected}: {picture}");
        }
        assert_eq!(picture.matches("<circle").count(), 2);
        assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
        assert!(!svg("nothing", "2 days", &[]).contains("NaN"));
        assert_eq!([0.07, 7.0 * 0.1, 1.0, 300.0].map(plain), ["0.07", "0.7", "1", "300"]);
    }

    #[test]
    fn what_is_too_long_for_the_picture_is_shortened_and_kept_in_its_title() {
        let about = "ж".repeat(300);
        let name = "first=2,every=20,by=2,max=9,ttl=90,preferred=30,rounds=4,escalate=300";
        let picture = svg(&about, "20 days", &[compared(name, 100.0, 8.0), compared("default", 500.0, 9.0)]);
        assert!(picture.contains(&format!("<title>{about}, 20 days</title>")));
        assert!(picture.contains(&format!(">{}…, 20 days</text>", "ж".repeat(80))), "{picture}");
        assert!(picture.contains(">first=2,every=20,by=2,max=9,ttl=90,preferred=30… (100 s, 8.0)<"), "{picture}");
    }
}
