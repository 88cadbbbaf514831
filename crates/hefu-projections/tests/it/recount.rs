//! A slow recount, written from rules R1 to R8 of the semantics and nothing else: every figure is added up afresh from
//! the facts, observation by observation, with its own calendar, rounding and tree. It shares no code with
//! `hefu_domain::counting` or the cube.

use std::collections::{BTreeMap, BTreeSet};

use hefu_domain::{
    event::Event,
    id::ProjectId,
    indicator::{Class, Count, Kind},
    terms::{MultiHop, Terms, Trigger},
    time::Date,
};

/// Year, month, day.
type Day = (i32, u32, u32);
/// Before all others.
const EVER: Day = (0, 0, 0);
/// Year, first month, last month.
type Months = (i32, u32, u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    Pending,
    Confirmed,
    Rejected,
}

#[derive(Clone)]
struct Move {
    from: String,
    to: String,
    terms: Terms,
    claim: Claim,
    /// Landing day, and how many events of the project came before.
    landed: Option<(Day, usize)>,
}

#[derive(Clone)]
struct Life {
    birth: String,
    born: Day,
    closed: Option<Day>,
    planned: Vec<(Day, i128)>,
    moves: Vec<Move>,
    built: Vec<(Day, usize)>,
    produced: Vec<(Day, usize)>,
    events: usize,
    values: BTreeMap<(String, Months), i128>,
    /// Whose part went to whom, from when on.
    heirs: Vec<(Day, String, String)>,
}

#[derive(Clone)]
struct Entry {
    class: Class,
    kind: Kind,
    count: Option<Count>,
    parts: Option<(String, String)>,
    scale: u32,
}

/// All facts.
#[derive(Clone, Default)]
pub(crate) struct Book {
    /// Every code a region ever had, to the one it entered with.
    names: BTreeMap<String, String>,
    /// Superiors, each from a day on.
    parents: BTreeMap<String, Vec<(Day, String)>>,
    lives: BTreeMap<ProjectId, Life>,
    catalogue: BTreeMap<String, Entry>,
    large: i128,
}

/// What an area shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) territorial: i128,
    pub(crate) as_destination: i128,
    pub(crate) as_origin: i128,
    /// Observations or projects with a part in it.
    pub(crate) facts: usize,
}

impl Figures {
    pub(crate) fn shared(&self) -> i128 {
        self.as_destination + self.as_origin
    }
}

fn day(date: Date) -> Day {
    let text = date.to_string();
    (text[..4].parse().unwrap(), text[5..7].parse().unwrap(), text[8..].parse().unwrap())
}

fn month_length(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn plus_months((year, month, day): Day, months: u32) -> Day {
    let total = year * 12 + i32::try_from(month - 1 + months).unwrap();
    let (year, month) = (total / 12, u32::try_from(total % 12).unwrap() + 1);
    (year, month, day.min(month_length(year, month)))
}

fn last_day((year, _, last): Months) -> Day {
    (year, last, month_length(year, last))
}

impl Book {
    pub(crate) fn read<'a>(events: impl Iterator<Item = &'a Event>) -> Book {
        let mut book = Book::default();
        book.names.insert("000000".to_owned(), "000000".to_owned());
        events.for_each(|event| book.note(event));
        book
    }

    fn note(&mut self, event: &Event) {
        let names = self.names.clone();
        let name = |code: hefu_domain::region::RegionCode| names[code.as_str()].clone();
        if let Some(life) = event.project().and_then(|id| self.lives.get_mut(&id)) {
            life.events += 1;
        }
        match event {
            Event::RegionsRegistered(e) => {
                for entry in &e.regions {
                    let code = entry.code.to_string();
                    let parent = entry
                        .parent
                        .map_or("000000".to_owned(), |parent| self.names[parent.as_str()].clone());
                    self.names.insert(code.clone(), code.clone());
                    self.parents.insert(code, vec![(EVER, parent)]);
                }
            }
            Event::RegionMerged(e) => {
                let all: Vec<ProjectId> = self.lives.keys().copied().collect();
                self.succeed(&all, day(e.date), (name(e.region), name(e.into)));
            }
            Event::RegionSplit(e) => {
                self.succeed(&e.projects, day(e.date), (name(e.region), name(e.into)));
            }
            Event::RegionReparented(e) => {
                self.parents.get_mut(&name(e.region)).unwrap().push((day(e.date), name(e.parent)));
            }
            Event::RegionRecoded(e) => drop(self.names.insert(e.code.to_string(), name(e.region))),
            Event::PolicyAdopted(e) => {
                self.large = i128::from(e.policy.large_project.fen());
                for i in &e.policy.indicators {
                    let parts = i.numerator.zip(i.denominator).map(|(a, b)| (a.to_string(), b.to_string()));
                    let scale = u32::from(i.unit.scale());
                    let entry = Entry { class: i.class, kind: i.kind, count: i.count, parts, scale };
                    self.catalogue.insert(i.code.to_string(), entry);
                }
            }
            Event::ProjectRegistered(e) => {
                let born = day(e.date);
                let life = Life {
                    birth: name(e.origin),
                    born,
                    closed: None,
                    planned: vec![(born, i128::from(e.planned_investment.fen()))],
                    moves: Vec::new(),
                    built: Vec::new(),
                    produced: Vec::new(),
                    events: 0,
                    values: BTreeMap::new(),
                    heirs: Vec::new(),
                };
                self.lives.insert(e.project, life);
            }
            Event::ProjectAmended(e) => {
                let life = self.lives.get_mut(&e.project).unwrap();
                life.planned
                    .extend(e.planned_investment.map(|amount| (day(e.date), i128::from(amount.fen()))));
            }
            Event::TransferProposed(e) => {
                let claim = Claim::Pending;
                let (from, to) = (name(e.origin), name(e.destination));
                let new = Move { from, to, terms: e.terms.clone(), claim, landed: None };
                self.lives.get_mut(&e.project).unwrap().moves.push(new);
            }
            Event::TransferAccepted(e) if !e.claim_pending => {
                self.claim(e.project, e.transfer, Claim::Confirmed);
            }
            Event::ClaimConfirmed(e) => self.claim(e.project, e.transfer, Claim::Confirmed),
            Event::ClaimRejected(e) => self.claim(e.project, e.transfer, Claim::Rejected),
            Event::ProjectLanded(e) => {
                let life = self.lives.get_mut(&e.project).unwrap();
                life.moves[e.transfer as usize].landed = Some((day(e.date), life.events));
            }
            Event::ConstructionStarted(e) => {
                let life = self.lives.get_mut(&e.project).unwrap();
                life.built.push((day(e.date), life.events));
            }
            Event::ProductionStarted(e) => {
                let life = self.lives.get_mut(&e.project).unwrap();
                life.produced.push((day(e.date), life.events));
            }
            Event::ProjectClosed(e) => self.lives.get_mut(&e.project).unwrap().closed = Some(day(e.date)),
            Event::ObservationReported(e) => {
                self.value(e.project, &e.indicator.to_string(), e.period, &e.value.to_string());
            }
            Event::ObservationCorrected(e) => {
                self.value(e.project, &e.indicator.to_string(), e.period, &e.value.to_string());
            }
            _ => {}
        }
    }

    /// What has not landed goes on with the successor as if it had been there from the beginning.
    fn succeed(&mut self, projects: &[ProjectId], from: Day, (old, new): (String, String)) {
        for id in projects {
            let life = self.lives.get_mut(id).unwrap();
            life.heirs.push((from, old.clone(), new.clone()));
            for hop in life.moves.iter_mut().filter(|hop| hop.landed.is_none()) {
                for end in [&mut hop.from, &mut hop.to] {
                    if *end == old {
                        end.clone_from(&new);
                    }
                }
            }
        }
    }

    /// The same facts, as if today's regions had always been.
    pub(crate) fn restated(&self) -> Book {
        let mut book = self.clone();
        for superiors in book.parents.values_mut() {
            let (_, last) = superiors.pop().unwrap();
            *superiors = vec![(EVER, last)];
        }
        for life in book.lives.values_mut() {
            for heir in &mut life.heirs {
                heir.0 = EVER;
            }
        }
        book
    }

    fn parent(&self, area: &str, day: Day) -> Option<&String> {
        let superiors = self.parents.get(area)?;
        superiors.iter().rev().find(|(from, _)| *from <= day).map(|(_, parent)| parent)
    }

    fn claim(&mut self, project: ProjectId, transfer: u32, claim: Claim) {
        self.lives.get_mut(&project).unwrap().moves[transfer as usize].claim = claim;
    }

    /// Values are written with the decimals of their unit: without the point they are minor units.
    fn value(
        &mut self,
        project: ProjectId,
        indicator: &str,
        period: hefu_domain::period::Period,
        value: &str,
    ) {
        let (first, last) = period.range();
        let months = (i32::from(period.year()), u32::from(first), u32::from(last));
        let minor: i128 = value.replace('.', "").parse().unwrap();
        let life = self.lives.get_mut(&project).unwrap();
        life.values.insert((indicator.to_owned(), months), minor);
    }

    fn inside(&self, county: &str, area: &str, day: Day) -> bool {
        county == area || self.parent(county, day).is_some_and(|parent| self.inside(parent, area, day))
    }

    fn is_county(&self, area: &str) -> bool {
        !self.parents.values().flatten().any(|(_, parent)| parent == area)
    }

    /// What `area` shows of `indicator` in `months`; `None` for a ratio.
    pub(crate) fn figures(&self, area: &str, indicator: &str, months: Months) -> Option<Figures> {
        self.figures_where(area, indicator, months, &|_| true)
    }

    /// What the areas directly below show together, shared, each only of facts of days on which it lay there.
    pub(crate) fn below(&self, area: &str, indicator: &str, months: Months) -> i128 {
        let children = self.parents.keys().map(|child| {
            let there = |day: Day| self.parent(child, day).is_some_and(|parent| parent == area);
            self.figures_where(child, indicator, months, &there).unwrap().shared()
        });
        children.sum()
    }

    fn figures_where(
        &self,
        area: &str,
        indicator: &str,
        months: Months,
        there: &dyn Fn(Day) -> bool,
    ) -> Option<Figures> {
        let entry = &self.catalogue[indicator];
        if entry.kind == Kind::Ratio {
            return None;
        }
        let mut sum = Figures::default();
        for life in self.lives.values() {
            match entry.kind {
                Kind::Flow | Kind::Stock => {
                    for ((of, period), value) in &life.values {
                        let within = period.0 == months.0 && months.1 <= period.1 && period.2 <= months.2;
                        let read = entry.kind == Kind::Flow || period.2 == months.2;
                        let end = last_day(*period);
                        if of == indicator && within && read && there(end) {
                            let holders = life.holders(entry.class, end);
                            self.add(&mut sum, (area, end), &holders, *value, false);
                        }
                    }
                }
                Kind::Count => {
                    let end = last_day(months);
                    if self.counts(life, entry.count.unwrap(), months) && there(end) {
                        self.add(&mut sum, (area, end), &life.holders(Class::Attraction, end), 1, true);
                    }
                }
                Kind::Ratio => {}
            }
        }
        Some(sum)
    }

    /// R7.
    fn counts(&self, life: &Life, count: Count, months: Months) -> bool {
        let (end, start) = (last_day(months), (months.0, months.1, 1));
        let there = life.born <= end && life.closed.is_none_or(|closed| end < closed);
        let mut in_force = life.planned[0].1;
        for (from, amount) in &life.planned {
            if *from <= end {
                in_force = *amount;
            }
        }
        match count {
            Count::Projects => there,
            Count::LargeProjects => there && in_force >= self.large,
            Count::LargeProjectsImplemented => {
                in_force >= self.large && life.built.iter().any(|(day, _)| start <= *day && *day <= end)
            }
        }
    }

    /// R1, R4, R5 for one observation, R7 for one project.
    fn add(
        &self,
        sum: &mut Figures,
        (area, day): (&str, Day),
        holders: &[(String, i128)],
        value: i128,
        count: bool,
    ) {
        let shares: Vec<i128> = if count {
            holders.iter().map(|(_, w)| i128::from(*w > 0)).collect()
        } else {
            divide(holders, value)
        };
        let insiders: Vec<usize> =
            (0..holders.len()).filter(|i| self.inside(&holders[*i].0, area, day)).collect();
        if insiders.is_empty() {
            return;
        }
        let held: i128 = insiders.iter().map(|i| shares[*i]).sum();
        // Kept to the value's size; the shares have its sign.
        let whole = insiders.len() == holders.len() || held.abs() > value.abs();
        let shared = if whole && !self.is_county(area) { value } else { held };
        sum.facts += 1;
        if self.inside(&holders[0].0, area, day) {
            sum.territorial += value;
            sum.as_destination += shared;
        } else {
            sum.as_origin += shared;
        }
    }

    /// Numerator and denominator on one basis, divided at four decimals, half away from zero.
    pub(crate) fn ratio(&self, area: &str, indicator: &str, months: Months, shared: bool) -> Option<i128> {
        let (above, below) = self.catalogue[indicator].parts.clone().unwrap();
        let basis = |code: &str| {
            let figures = self.figures(area, code, months).unwrap();
            let figure = if shared { figures.shared() } else { figures.territorial };
            figure * 10i128.pow(4 - self.catalogue[code].scale)
        };
        let (above, below) = (basis(&above), basis(&below));
        if below == 0 {
            return None;
        }
        let twice = 2 * above.abs() * 10_000 / below.abs();
        let magnitude = twice / 2 + twice % 2;
        Some(if (above < 0) == (below < 0) { magnitude } else { -magnitude })
    }

    /// Reported months of the whole book.
    pub(crate) fn reported(&self) -> BTreeSet<Months> {
        self.lives.values().flat_map(|life| life.values.keys().map(|(_, months)| *months)).collect()
    }

    /// Whether any move of a project between counties has an end inside and an end outside the area.
    pub(crate) fn crossed(&self, area: &str) -> bool {
        let moves = self.lives.values().flat_map(|life| &life.moves);
        let mut landed = moves.filter(|hop| hop.landed.is_some());
        landed.any(|hop| self.inside(&hop.from, area, EVER) != self.inside(&hop.to, area, EVER))
    }
}

impl Life {
    /// R2 and R3: the county of location first, then the holders of live claims by code; each with its weight.
    fn holders(&self, class: Class, day: Day) -> Vec<(String, i128)> {
        let arrived: Vec<&Move> =
            self.moves.iter().filter(|hop| hop.landed.is_some_and(|(on, _)| on <= day)).collect();
        let heir = |name: &String| {
            let by_then = self.heirs.iter().filter(|(from, _, _)| *from <= day);
            by_then.fold(name.clone(), |who, (_, old, new)| if *old == who { new.clone() } else { who })
        };
        let location = heir(arrived.last().map_or(&self.birth, |hop| &hop.to));
        let between: Vec<&Move> = arrived.into_iter().filter(|hop| hop.from != hop.to).collect();
        let mut own = 10_000;
        let mut claims: BTreeMap<String, i128> = BTreeMap::new();
        // Where both ends are one county by then, the move is one inside it.
        let inner = |hop: &Move| heir(&hop.from) == heir(&hop.to);
        let last = between.iter().rposition(|hop| !inner(hop));
        for (place, hop) in between.iter().enumerate().filter(|(_, hop)| !inner(hop)) {
            let credit = hop.terms.credits.of(class);
            let later = &between[place + 1..];
            let chain = |hop: &&Move| hop.terms.multi_hop == MultiHop::Chain;
            let kept = later.is_empty() || (chain(hop) && later.iter().all(chain));
            let (landed, _) = hop.landed.unwrap();
            let after = |list: &[(Day, usize)]| list.iter().map(|(day, _)| *day).find(|day| *day >= landed);
            let trigger = match credit.trigger {
                Trigger::Landing => Some(landed),
                Trigger::ConstructionStart => after(&self.built),
                Trigger::ProductionStart => after(&self.produced),
                Trigger::FirstTax => None,
            };
            let open = trigger.is_some_and(|start| start <= day && day < plus_months(start, credit.months));
            if kept && open && hop.claim == Claim::Confirmed {
                let weight = i128::from(credit.origin_bp);
                let held = claims.entry(heir(&hop.from)).or_insert(weight);
                *held = weight.max(*held);
                if Some(place) == last {
                    own = i128::from(credit.destination_bp);
                }
            }
        }
        if let Some(also) = claims.remove(&location) {
            own = own.max(also);
        }
        std::iter::once((location, own)).chain(claims).collect()
    }
}

/// R4.
fn divide(holders: &[(String, i128)], value: i128) -> Vec<i128> {
    let (size, sign) = (value.abs(), value.signum());
    let total: i128 = holders.iter().map(|(_, weight)| weight).sum();
    if total != 10_000 {
        return holders.iter().map(|(_, weight)| sign * ((size * weight + 5_000) / 10_000)).collect();
    }
    let mut parts: Vec<i128> = holders.iter().map(|(_, weight)| size * weight / 10_000).collect();
    while parts.iter().sum::<i128>() < size {
        // The largest remainder not yet rounded up; the earlier holder on a tie.
        let rest = |i: usize| size * holders[i].1 - parts[i] * 10_000;
        let mut best = 0;
        for i in 1..holders.len() {
            if rest(i) > rest(best) {
                best = i;
            }
        }
        parts[best] += 1;
    }
    parts.into_iter().map(|part| sign * part).collect()
}
