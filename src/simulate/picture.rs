//! Wait against messages as an SVG: each policy is a point, both axes are logarithmic, and the lines through a point are its
//! confidence intervals. Down and to the left is better.

use std::fmt::Write;

use super::batch::Compared;
use super::statistics::Estimate;

const WIDTH: f64 = 1060.0;
const HEIGHT: f64 = 600.0;
/// Where the axes are: from the left, the top, the right and the bottom.
const MARGINS: [f64; 4] = [80.0, 70.0, 290.0, 70.0];
const LINE: f64 = 16.0;

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

/// A point and what stands beside it.
struct Point {
    x: f64,
    y: f64,
    label_y: f64,
}

/// The picture.
#[must_use]
pub fn svg(title: &str, compared: &[Compared]) -> String {
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
         font-size=\"13\">\n<title>{title}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{left}\" y=\"32\" font-size=\"18\" font-weight=\"bold\">{title}</text>\n\
         <text x=\"{left}\" y=\"52\" fill=\"#555\">down and to the left is better; lines: 95 % confidence</text>\n",
        title = escaped(title)
    );
    axes(&mut svg, &x, &y);
    let points = placed(&x, &y, &messages, &waits);
    for (index, point) in points.iter().enumerate() {
        let of = (&messages[index], &waits[index]);
        mark(&mut svg, (&x, &y), of, point, &compared[index].rule.name);
    }
    svg.push_str("</svg>\n");
    svg
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

/// Where points and their labels are, no label on top of another.
fn placed(x: &Axis, y: &Axis, messages: &[Estimate], waits: &[Estimate]) -> Vec<Point> {
    let mut points: Vec<Point> = messages
        .iter()
        .zip(waits)
        .map(|(messages, wait)| {
            let (x, y) = (x.place(messages.mean), y.place(wait.mean));
            Point { x, y, label_y: y }
        })
        .collect();
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|one, other| points[*one].y.total_cmp(&points[*other].y));
    for (rank, index) in order.iter().enumerate() {
        // Labels are about so wide; those of points side by side go below one another.
        let near = |above: &&usize| (points[**above].x - points[*index].x).abs() < 180.0;
        let lowest = order[..rank].iter().filter(near).map(|above| points[*above].label_y).fold(f64::MIN, f64::max);
        let wanted = points[*index].y.max(lowest + LINE);
        points[*index].label_y = wanted;
    }
    points
}

fn mark(svg: &mut String, (x, y): (&Axis, &Axis), (messages, wait): (&Estimate, &Estimate), point: &Point, name: &str) {
    let ends = |axis: &Axis, estimate: &Estimate| {
        let margin = if estimate.margin.is_finite() { estimate.margin } else { 0.0 };
        [axis.place(estimate.mean - margin), axis.place(estimate.mean + margin)]
    };
    let ([from_x, to_x], [from_y, to_y]) = (ends(x, messages), ends(y, wait));
    let (at_x, at_y) = (point.x, point.y);
    let colour = if name == "default" { "#c2410c" } else { "#1d4ed8" };
    let _ = writeln!(
        svg,
        "<path d=\"M{from_x:.1} {at_y:.1}H{to_x:.1}M{at_x:.1} {from_y:.1}V{to_y:.1}\" stroke=\"{colour}\"/>\
         <circle cx=\"{at_x:.1}\" cy=\"{at_y:.1}\" r=\"5\" fill=\"{colour}\"/>\
         <path d=\"M{:.1} {at_y:.1}L{:.1} {:.1}\" stroke=\"#999\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{} ({:.0} s, {:.1})</text>",
        at_x + 6.0,
        at_x + 14.0,
        point.label_y,
        at_x + 16.0,
        point.label_y + 4.0,
        escaped(name),
        wait.mean,
        messages.mean
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
        let picture = svg("a <city>", &[compared("default", 100.0, 8.0), compared("a&b", 101.0, 8.1)]);
        for expected in
            ["<title>a &lt;city&gt;</title>", "default (100 s, 8.0)", "a&amp;b (101 s, 8.1)", "seconds", "per order"]
        {
            assert!(picture.contains(expected), "{expected}: {picture}");
        }
        assert_eq!(picture.matches("<circle").count(), 2);
        assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
        assert!(!svg("nothing", &[]).contains("NaN"));
        assert_eq!([0.07, 7.0 * 0.1, 1.0, 300.0].map(plain), ["0.07", "0.7", "1", "300"]);
    }

    #[test]
    fn no_label_stands_on_another() {
        let axis = |places| Axis { values: [1.0, 1000.0], places };
        let same = |mean| Estimate { mean, margin: 0.0 };
        let many = vec![same(10.0); 5];
        let points = placed(&axis([0.0, 500.0]), &axis([500.0, 0.0]), &many, &many);
        let mut labels: Vec<f64> = points.iter().map(|point| point.label_y).collect();
        labels.sort_by(f64::total_cmp);
        assert!(labels.windows(2).all(|pair| pair[1] - pair[0] >= LINE), "{labels:?}");
    }
}
