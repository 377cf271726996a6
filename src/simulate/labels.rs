//! Where the labels of a picture's points stand: on no other label, on no point, and on no line.

/// How high a line of text is.
pub const LINE: f64 = 16.0;
/// How wide a character is, about.
const CHARACTER: f64 = 7.2;
/// The least that is kept free around a point.
const RADIUS: f64 = 7.0;
/// How far a label is from its point, to the side.
const SIDEWAYS: [f64; 4] = [14.0, 40.0, 90.0, 160.0];
/// How many lines above or below it.
const LINES: i32 = 14;
/// One label that stands on something is worse than any distance.
const COLLISION: f64 = 10_000.0;

/// A part of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// From there.
    pub left: f64,
    /// From there.
    pub top: f64,
    /// To there.
    pub right: f64,
    /// To there.
    pub bottom: f64,
}

impl Area {
    fn meets(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn is_within(&self, other: &Self) -> bool {
        other.left <= self.left && self.right <= other.right && other.top <= self.top && self.bottom <= other.bottom
    }
}

/// A point with its confidence intervals, and what is written beside it.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Where it is.
    pub at: [f64; 2],
    /// From where to where its horizontal line goes.
    pub across: [f64; 2],
    /// From where to where its vertical one does.
    pub along: [f64; 2],
    /// How many characters are written.
    pub characters: usize,
}

impl Mark {
    /// The point and its lines.
    fn areas(&self) -> [Area; 3] {
        let [x, y] = self.at;
        let around = |[from, to]: [f64; 2]| (from.min(to) - 2.0, from.max(to) + 2.0);
        let ((left, right), (top, bottom)) = (around(self.across), around(self.along));
        [
            Area { left: x - RADIUS, top: y - RADIUS, right: x + RADIUS, bottom: y + RADIUS },
            Area { left, top: y - 2.0, right, bottom: y + 2.0 },
            Area { left: x - 2.0, top, right: x + 2.0, bottom },
        ]
    }

    /// Where its label may be, as long as it is inside.
    fn choices(&self, inside: &Area) -> Vec<Area> {
        let width = CHARACTER * f64::from(u32::try_from(self.characters).unwrap_or(u32::MAX));
        let [x, y] = self.at;
        let choice = |gap: f64, line: i32, to_the_right: bool| {
            let left = if to_the_right { x + gap } else { x - gap - width };
            let middle = y + LINE * f64::from(line);
            Area { left, top: middle - LINE / 2.0, right: left + width, bottom: middle + LINE / 2.0 }
        };
        let lines = || (0..=LINES).flat_map(|line| [line, -line]);
        let all = SIDEWAYS.iter().flat_map(|gap| {
            lines().flat_map(move |line| [true, false].map(|to_the_right| choice(*gap, line, to_the_right)))
        });
        all.filter(|area| area.is_within(inside)).collect()
    }
}

/// Where the line from a point to its label ends.
#[must_use]
pub fn end_of_leader([x, _]: [f64; 2], label: &Area) -> [f64; 2] {
    let nearer = if label.left >= x { label.left - 2.0 } else { label.right + 2.0 };
    [nearer, f64::midpoint(label.top, label.bottom)]
}

/// The line from a point to its label, as small areas one after another; without its beginning, which is the point.
fn leader(at: [f64; 2], label: &Area) -> Vec<Area> {
    const STEPS: u32 = 16;
    let end = end_of_leader(at, label);
    let part = |step: u32| {
        let share = f64::from(step) / f64::from(STEPS);
        let [x, y] = [0, 1].map(|axis| at[axis] + share * (end[axis] - at[axis]));
        Area { left: x - 1.0, top: y - 1.0, right: x + 1.0, bottom: y + 1.0 }
    };
    (0..STEPS).map(part).filter(|area| (area.left - at[0]).hypot(area.top - at[1]) > RADIUS).collect()
}

/// Where each mark's label stands.
#[must_use]
pub fn placed(marks: &[Mark], inside: &Area) -> Vec<Area> {
    let mut labels: Vec<Option<Area>> = vec![None; marks.len()];
    let mut order: Vec<usize> = (0..marks.len()).collect();
    order.sort_by(|one, other| marks[*one].at[1].total_cmp(&marks[*other].at[1]));
    let points: Vec<[Area; 3]> = marks.iter().map(Mark::areas).collect();
    let mut leaders: Vec<Area> = Vec::new();
    for &index in &order {
        let mark = &marks[index];
        let cost = |label: &Area| {
            let line = leader(mark.at, label);
            let others = points.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, areas)| areas);
            let drawn = labels.iter().flatten().chain(others.clone()).chain(&leaders).chain(&points[index]);
            let on_others = drawn.filter(|area| area.meets(label)).count();
            let in_the_way = labels.iter().flatten().chain(others);
            let crossed = in_the_way.filter(|area| line.iter().any(|part| part.meets(area))).count();
            let [x, y] = end_of_leader(mark.at, label);
            let collisions = f64::from(u32::try_from(3 * on_others + crossed).unwrap_or(u32::MAX));
            COLLISION * collisions + (x - mark.at[0]).hypot(y - mark.at[1])
        };
        let best = mark.choices(inside).into_iter().min_by(|one, other| cost(one).total_cmp(&cost(other)));
        // There is room for none where the picture is too narrow for it; then it begins where the picture does.
        let [_, y] = mark.at;
        let beginning = Area { left: inside.left, top: y - LINE / 2.0, right: inside.right, bottom: y + LINE / 2.0 };
        let label = best.unwrap_or(beginning);
        leaders.extend(leader(mark.at, &label));
        labels[index] = Some(label);
    }
    labels.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: Area = Area { left: 80.0, top: 60.0, right: 1050.0, bottom: 530.0 };

    fn mark(x: f64, y: f64) -> Mark {
        Mark { at: [x, y], across: [x - 30.0, x + 30.0], along: [y - 20.0, y + 20.0], characters: 30 }
    }

    /// How many labels stand on something that is not their own.
    fn collisions(marks: &[Mark]) -> usize {
        let labels = placed(marks, &INSIDE);
        assert_eq!(labels.len(), marks.len());
        let mut count = 0;
        for (index, label) in labels.iter().enumerate() {
            assert!(label.is_within(&INSIDE), "{label:?}");
            count += labels[..index].iter().filter(|other| other.meets(label)).count();
            count += marks.iter().flat_map(Mark::areas).filter(|area| area.meets(label)).count();
        }
        count
    }

    #[test]
    fn no_label_stands_on_another_or_on_a_point_or_a_line() {
        let same = vec![mark(400.0, 300.0); 5];
        assert_eq!(collisions(&same), 0);
        let row: Vec<Mark> = (0..7).map(|place| mark(120.0 + 90.0 * f64::from(place), 300.0)).collect();
        assert_eq!(collisions(&row), 0);
        let column: Vec<Mark> = (0..7).map(|place| mark(400.0, 120.0 + 25.0 * f64::from(place))).collect();
        assert_eq!(collisions(&column), 0);
        let corners = [mark(90.0, 70.0), mark(1040.0, 70.0), mark(90.0, 520.0), mark(1040.0, 520.0)];
        assert_eq!(collisions(&corners), 0);
    }

    #[test]
    fn one_point_has_its_label_beside_it() {
        let label = placed(&[Mark { across: [400.0; 2], along: [300.0; 2], ..mark(400.0, 300.0) }], &INSIDE)[0];
        assert_eq!((label.left, label.top), (414.0, 292.0));
        assert_eq!(end_of_leader([400.0, 300.0], &label).map(f64::to_bits), [412.0, 300.0].map(f64::to_bits));
    }
}
