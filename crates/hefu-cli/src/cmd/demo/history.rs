//! A made-up but lawful history of Zhejiang: the same commands for the same seed, in the order of their dates.
//!
//! Only commands come from here; whether they are right is for the rules to say. Names and amounts are invented.

use hefu_domain::{
    id::{BadEnterpriseCode, EnterpriseCode},
    policy::Policy,
    region::{Level, RegionId, RegionTree},
    tier::{Tier, tier_of},
    time::Date,
};
use serde_json::{Map, Value, json};

/// How large a history to make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Projects.
    pub(crate) projects: u32,
    /// Months of observations, from January of [`FIRST_YEAR`] on.
    pub(crate) months: u32,
    /// Seed.
    pub(crate) seed: u64,
}

/// The year the history begins.
pub(crate) const FIRST_YEAR: i16 = 2023;

/// One command, and the key that signs it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) signer: String,
    pub(crate) command: Map<String, Value>,
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or_default();
        high % below.max(1)
    }

    fn range(&mut self, from: u32, to: u32) -> u32 {
        from + self.roll(to - from + 1)
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.roll(100) < percent
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(u32::try_from(all.len()).unwrap_or(1)) as usize]
    }
}

/// The whole history.
pub(crate) fn history(tree: &RegionTree, policy: &Policy, size: Size) -> Vec<Step> {
    let province = tree.iter().find(|region| region.code().as_str() == "330000").map(|region| region.id);
    let counties: Vec<RegionId> = tree
        .iter()
        .filter(|region| region.level == Level::County)
        .filter(|region| province.is_none_or(|province| tree.is_within(region.id, province)))
        .map(|region| region.id)
        .collect();
    let mut author = Author {
        tree,
        policy,
        counties,
        dice: Dice(size.seed),
        tax_dice: Dice(size.seed ^ 0x7a78_6573),
        end: month_end(size.months.saturating_sub(1)),
        steps: Vec::new(),
    };
    for number in 0..size.projects {
        author.project(number);
    }
    let mut steps = author.steps;
    steps.sort_by_key(|(date, _)| *date);
    steps.into_iter().map(|(_, step)| step).collect()
}

/// The last day of the n-th month of the history.
fn month_end(month: u32) -> Date {
    first_day().add_months(month).month_end()
}

fn first_day() -> Date {
    Date::new(FIRST_YEAR, 1, 1).unwrap_or_else(|| unreachable!("1 January is a day"))
}

struct Author<'a> {
    tree: &'a RegionTree,
    policy: &'a Policy,
    counties: Vec<RegionId>,
    dice: Dice,
    /// Of its own, so that tax leaves the rest of the history as it is.
    tax_dice: Dice,
    end: Date,
    /// Commands by the day they belong to; commands of one day keep their order.
    steps: Vec<(Date, Step)>,
}

/// A project as it is being told.
struct Tale {
    id: String,
    /// Where it is, since when.
    stays: Vec<(Date, RegionId)>,
    site: String,
    today: Date,
    /// Planned investment in 亿元 (CNY 100 million).
    yi: u32,
    transfers: u32,
}

impl Tale {
    fn here(&self) -> RegionId {
        self.stays[self.stays.len() - 1].1
    }

    fn located(&self, day: Date) -> RegionId {
        let stay = self.stays.iter().rev().find(|(from, _)| *from <= day);
        stay.map_or(self.stays[0].1, |(_, region)| *region)
    }
}

impl Author<'_> {
    fn code(&self, region: RegionId) -> String {
        self.tree.get(region).code().to_string()
    }

    fn say(&mut self, date: Date, signer: &str, command: Value) {
        if let Value::Object(command) = command {
            self.steps.push((date, Step { signer: signer.to_owned(), command }));
        }
    }

    fn later(&mut self, tale: &mut Tale, from_days: u32, to_days: u32) -> Date {
        let days = self.dice.range(from_days, to_days);
        tale.today = (0..days).fold(tale.today, |day, _| day.tomorrow());
        tale.today
    }

    fn project(&mut self, number: u32) {
        let county = *self.dice.pick(&self.counties.clone());
        let home = self.code(county);
        let enterprise = enterprise_code(&home, number);
        let start = first_day().add_months(self.dice.roll(18));
        let mut tale = Tale {
            id: project_id(number),
            stays: vec![(start, county)],
            site: format!("{}-{:02}地块", home, self.dice.range(1, 40)),
            today: start,
            yi: self.dice.range(2, 30),
            transfers: 0,
        };
        let trade = TRADES[self.dice.roll(u32::try_from(TRADES.len()).unwrap_or(1)) as usize];
        self.say(
            start,
            &home,
            json!({"type": "register_enterprise", "enterprise": enterprise, "region": home,
                   "name": format!("{}{}有限公司", self.tree.get(county).now().name_zh, trade.1)}),
        );
        let fen = self.dice.roll(100);
        self.say(
            start,
            &home,
            json!({"type": "register_project", "project": tale.id, "enterprise": enterprise, "origin": home,
                   "name": format!("{}裂变项目{:04}", trade.1, number + 1), "industry": trade.0,
                   "site": tale.site, "date": start.to_string(),
                   "planned_investment": format!("{}00000000.{fen:02}", tale.yi),
                   "codes": [format!("{:02}{:02}-{home}-04-01-{:06}", start.year() % 100, start.month(), number)]}),
        );
        let path = self.dice.roll(100);
        match path {
            // Stays where it arose.
            0..25 => {}
            25..40 => self.travel(&mut tale, Tier::Local),
            40..70 => self.travel(&mut tale, Tier::Neighbouring),
            70..90 => self.travel(&mut tale, Tier::Wider),
            // Several hops; some come home again.
            90..97 => {
                self.travel(&mut tale, Tier::Neighbouring);
                self.later(&mut tale, 60, 200);
                self.travel(&mut tale, Tier::Wider);
            }
            _ => {
                self.travel(&mut tale, Tier::Neighbouring);
                self.later(&mut tale, 60, 200);
                self.travel_to(&mut tale, county);
            }
        }
        self.build_and_report(&mut tale);
    }

    /// Moves to some county of the tier, if there is one and time is left.
    fn travel(&mut self, tale: &mut Tale, tier: Tier) {
        let here = tale.here();
        let rule = &self.policy.tier_rule;
        let there = |county: &RegionId| tier_of(self.tree, rule, here, *county, false) == tier;
        let candidates: Vec<RegionId> = self.counties.iter().copied().filter(there).collect();
        if !candidates.is_empty() {
            let destination = *self.dice.pick(&candidates);
            self.travel_to(tale, destination);
        }
    }

    fn travel_to(&mut self, tale: &mut Tale, destination: RegionId) {
        if tale.today.add_months(8) > self.end {
            return;
        }
        let here = tale.here();
        let tier = tier_of(self.tree, &self.policy.tier_rule, here, destination, false);
        let (origin, target) = (self.code(here), self.code(destination));
        for nearer in Tier::ALL.into_iter().filter(|nearer| *nearer < tier) {
            let day = self.later(tale, 3, 20);
            self.close_tier(tale, day, &origin, nearer, here);
        }
        if self.dice.chance(8) {
            // A first attempt that comes to nothing.
            let day = self.later(tale, 2, 15);
            self.propose(tale, day, &origin, &target, Value::Null);
            let (signer, kind) = if self.dice.chance(60) {
                (&target, "decline_transfer")
            } else {
                (&origin, "withdraw_transfer")
            };
            let day = self.later(tale, 1, 10);
            self.say(day, signer, json!({"type": kind, "project": tale.id, "reason": "条件未谈妥"}));
        }
        let day = self.later(tale, 2, 15);
        let terms = self.terms();
        self.propose(tale, day, &origin, &target, terms);
        let day = self.later(tale, 1, 10);
        self.say(day, &target, json!({"type": "accept_transfer", "project": tale.id}));
        let day = self.later(tale, 10, 60);
        let site = format!("{}-{:02}地块", target, self.dice.range(1, 40));
        self.say(
            day,
            &target,
            json!({"type": "land_project", "project": tale.id, "date": day.to_string(), "site": site}),
        );
        tale.stays.push((day, destination));
        tale.transfers += 1;
    }

    fn close_tier(&mut self, tale: &Tale, day: Date, origin: &str, tier: Tier, here: RegionId) {
        let superior = match tier {
            Tier::OriginalSite | Tier::Local => self.tree.get(here).parent,
            Tier::Neighbouring | Tier::Wider => self.tree.at_level(here, Level::Province),
        };
        match superior {
            Some(superior) if self.dice.chance(12) => {
                let superior = self.code(superior);
                self.say(
                    day,
                    &superior,
                    json!({"type": "waive_tier", "project": tale.id, "tier": tier.name(), "reason": "省级重大项目统筹布局"}),
                );
            }
            _ => {
                let reasons =
                    ["land", "energy", "environment", "industry_position", "no_taker", "enterprise_choice"];
                let reason = *self.dice.pick(&reasons);
                self.say(
                    day,
                    origin,
                    json!({"type": "exhaust_tier", "project": tale.id, "tier": tier.name(), "reason": reason}),
                );
            }
        }
    }

    fn propose(&mut self, tale: &Tale, day: Date, origin: &str, target: &str, terms: Value) {
        let mut command = json!({"type": "propose_transfer", "project": tale.id, "destination": target});
        if !terms.is_null() {
            command["terms"] = terms;
        }
        self.say(day, origin, command);
    }

    /// What regions agree on: the default, even splits, a Kunming-like agreement, short or late windows.
    fn terms(&mut self) -> Value {
        let credit = |origin: u32, destination: u32, months: u32, trigger: &str| json!({"origin_bp": origin, "destination_bp": destination, "months": months, "trigger": trigger});
        match self.dice.roll(10) {
            0..4 => Value::Null,
            4 | 5 => {
                let even = credit(5000, 5000, 24, "landing");
                json!({"credits": {"investment": even, "value_added": even, "research": even, "attraction": even},
                       "tax": {"template": "kunming_2022"}})
            }
            6 => json!({"credits": {"value_added": credit(5000, 5000, 60, "landing"),
                                     "research": credit(6000, 4000, 36, "landing"),
                                     "attraction": credit(10000, 0, 60, "landing")}}),
            7 => json!({"credits": {"investment": credit(10000, 10000, 36, "construction_start"),
                                     "value_added": credit(3333, 6667, 60, "production_start")},
                        "tax": {"template": "zibo_2022"}}),
            8 => json!({"credits": {"investment": credit(10000, 10000, 12, "landing")},
                        "tax": {"construction_bp": 6000, "production_years_bp": [5000, 5000, 4000, 3000, 2000],
                                "unit": "phase_year"}}),
            _ => json!({"credits": {"investment": credit(7000, 5000, 48, "landing")}}),
        }
    }

    /// Construction, production, and a report every month.
    fn build_and_report(&mut self, tale: &mut Tale) {
        let construction = self.later(tale, 15, 90);
        if construction > self.end {
            return;
        }
        let holder = self.code(tale.here());
        self.say(
            construction,
            &holder,
            json!({"type": "start_construction", "project": tale.id, "date": construction.to_string()}),
        );
        let building = self.dice.range(6, 15);
        let production = construction.add_months(building);
        if production <= self.end {
            self.say(
                production,
                &holder,
                json!({"type": "start_production", "project": tale.id, "date": production.to_string()}),
            );
        }
        if self.dice.chance(6) && production.add_months(3) <= self.end {
            let more = tale.yi + self.dice.range(1, 8);
            self.say(
                production,
                &holder,
                json!({"type": "amend_project", "project": tale.id, "date": production.to_string(),
                       "planned_investment": format!("{more}00000000.00")}),
            );
        }
        let mut month = construction.month_end();
        while month <= self.end {
            let before_production = month < production;
            if before_production {
                let monthly =
                    u64::from(tale.yi * self.dice.range(700, 1300)) * 10_000_000 / u64::from(building);
                let odd = u64::from(self.dice.roll(1000));
                self.observe(tale, month, "INV_FAI", monthly + odd);
                if month < construction.add_months(6) {
                    let funds = u64::from(tale.yi * self.dice.range(50, 150)) * 10_000_000;
                    self.observe(tale, month, "ZS_FUND", funds);
                }
            } else {
                let output = u64::from(tale.yi * self.dice.range(40, 90)) * 10_000_009;
                self.observe(tale, month, "OUTPUT", output);
                let added = output * u64::from(self.dice.range(18, 32)) / 100;
                self.observe(tale, month, "VA_IND", added);
                let people = tale.yi * self.dice.range(20, 60);
                self.observe(tale, month, "EMP", u64::from(people));
                if self.dice.chance(15) {
                    let renewal = u64::from(self.dice.range(10, 900)) * 10_000_007;
                    self.observe(tale, month, "INV_TECH", renewal);
                }
            }
            let research = u64::from(tale.yi * self.dice.range(1_000, 9_000)) * 10_003;
            self.observe(tale, month, "RD_EXP", research);
            month = month.tomorrow().month_end();
        }
        self.pay_tax(tale, construction, production);
    }

    /// Tax of each quarter, paid in the middle of the month after it where the project then is. Some is given back.
    fn pay_tax(&mut self, tale: &Tale, construction: Date, production: Date) {
        let middle = |first: Date| (0..14).fold(first, |day, _| day.tomorrow());
        let mut month = construction.month_end();
        while month <= self.end {
            let paid = middle(month.tomorrow());
            if month.month().is_multiple_of(3) && paid <= self.end {
                let building = month < production;
                let (low, high) = if building { (20, 60) } else { (150, 400) };
                let vat = u64::from(tale.yi * self.tax_dice.range(low, high)) * 100_003;
                self.tax(tale, paid, "vat", vat, None);
                if !building {
                    let income = vat * u64::from(self.tax_dice.range(20, 60)) / 100;
                    self.tax(tale, paid, "cit", income, None);
                }
                let later = paid.add_months(2);
                if self.tax_dice.chance(6) && later <= self.end {
                    self.tax(tale, later, "vat", vat / 10, Some(paid));
                }
            }
            month = month.tomorrow().month_end();
        }
    }

    /// Tax of so many fen paid on a day, or what was paid on `refund_of` given back.
    fn tax(&mut self, tale: &Tale, day: Date, kind: &str, fen: u64, refund_of: Option<Date>) {
        let treasury = format!("{}/treasury", self.code(tale.located(refund_of.unwrap_or(day))));
        let sign = if refund_of.is_some() { "-" } else { "" };
        let mut command = json!({"type": "report_tax", "project": tale.id, "date": day.to_string(), "kind": kind,
                                 "amount": format!("{sign}{}.{:02}", fen / 100, fen % 100)});
        if let Some(paid) = refund_of {
            command["refund_of"] = json!(paid.to_string());
        }
        self.say(day, &treasury, command);
    }

    /// Reports a value (fen, or persons) after the month's end; a few are corrected a month later.
    fn observe(&mut self, tale: &Tale, month: Date, indicator: &str, value: u64) {
        let signer = self.code(tale.located(month));
        let period = format!("{:04}-{:02}", month.year(), month.month());
        let text = |value: u64| match indicator {
            "EMP" => value.to_string(),
            _ => format!("{}.{:02}", value / 100, value % 100),
        };
        let command = |value: u64| {
            json!({"type": "report_observation", "project": tale.id, "indicator": indicator,
                   "period": period, "value": text(value)})
        };
        let day = month.tomorrow();
        self.say(day, &signer, command(value));
        if self.dice.chance(3) {
            let corrected = value * u64::from(self.dice.range(90, 110)) / 100;
            self.say(day.add_months(1), &signer, command(corrected));
        }
    }
}

/// Industry codes (GB/T 4754) and a word for names.
const TRADES: [(&str, &str); 12] = [
    ("C17", "纺织新材料"),
    ("C21", "智能家居"),
    ("C26", "高端化工"),
    ("C27", "生物医药"),
    ("C28", "化纤"),
    ("C33", "五金工具"),
    ("C34", "泵阀轴承"),
    ("C35", "专用装备"),
    ("C36", "汽车零部件"),
    ("C38", "智能电气"),
    ("C39", "电子信息"),
    ("C40", "仪器仪表"),
];

fn project_id(number: u32) -> String {
    format!("0198b2c4-0000-7000-8000-{number:012x}")
}

/// A made-up unified social credit code with the right check character.
fn enterprise_code(region: &str, number: u32) -> String {
    let body = format!("91{region}MADE{number:05}");
    match format!("{body}0").parse::<EnterpriseCode>() {
        Err(BadEnterpriseCode::Check(_, check)) => format!("{body}{check}"),
        Ok(_) | Err(BadEnterpriseCode::Form(_) | BadEnterpriseCode::Capitals(..)) => format!("{body}0"),
    }
}
