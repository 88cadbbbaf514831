//! Scripts: what a domain expert would write down, one command and its outcome a line.
//!
//! ```text
//! # a comment
//! policy {"multi_hop":"last_hop"}                     the genesis policy, if not the default; first line only
//! host 000000                                         the host, if not Zhejiang; first line only
//! empty                                               start before record 0; first line only
//! at 2026-03-01                                       the clock: noon in China, or a full instant
//! given P1 in 330108 since 2023-01-10 site S1         a registered project
//! given P1 moved 330881 on 2023-06-01 terms {…}       offered through all tiers, accepted and landed
//! 330108 propose P1 to 330881 terms {…} -> tier_not_open      who, what, and the refusal's code,
//! 330108 exhaust P1 local -> ok                       or `ok`,
//! 330881 accept P1 -> transfer.consented              or the facts that follow
//! see P1 in 330108 on 2024-01-01                      a look at the state
//! ```
//! Who: a region is its office; `330100.coordinator`, `log`, `root1+root2` (the first signs, the others endorse).

use std::collections::BTreeMap;

use hefu_domain::{
    amount::Money,
    command::Command,
    counting::Standing,
    id::ProjectId,
    policy::Policy,
    redaction::Residue,
    state::{ClaimStatus, Outcome},
    tax::{Cut, schedule::units},
    tier::Tier,
};
use serde_json::{Map, Value, json};

use super::ledger::{Fold, Ledger, date, genesis, key, key_entry, noon, project, public};

/// Words that take the next word as their value.
const OPTIONS: [&str; 25] = [
    "amount",
    "value",
    "in",
    "to",
    "on",
    "since",
    "site",
    "reason",
    "code",
    "name",
    "planned",
    "industry",
    "enterprise",
    "person",
    "subject",
    "evidence",
    "key",
    "zh",
    "en",
    "terms",
    "from",
    "refund_of",
    "incentives",
    "voucher",
    "known",
];

/// A script that has run.
pub(crate) struct Run<F> {
    pub(crate) ledger: Ledger<F>,
    /// What a line answered, in order; for scripts that look at figures.
    line: String,
}

/// One line after the signer: verb, positional words, options and a JSON tail.
struct Words {
    verb: String,
    plain: Vec<String>,
    options: BTreeMap<String, String>,
    json: Option<Value>,
}

/// Runs a script and compares every line with what happens. `show` answers lines that begin with `show`.
pub(crate) fn check<F: Fold>(script: &str, show: impl Fn(&Ledger<F>, &[&str]) -> String) -> Run<F> {
    let mut run = Run { ledger: Ledger::empty(), line: String::new() };
    let mut founded = false;
    let lines = script.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        run.line = format!("line {number}: {line}");
        if !founded {
            founded = true;
            let first = line.split(' ').next().unwrap_or_default();
            let policy = if first == "policy" { line["policy".len()..].trim() } else { "{}" };
            let policy: Policy =
                serde_json::from_str(policy).unwrap_or_else(|why| panic!("{}: {why}", run.line));
            if first != "empty" {
                let mut genesis = genesis(policy);
                if let Some(host) = line.strip_prefix("host ") {
                    genesis.host = host.parse().unwrap();
                }
                run.ledger = Ledger::found(genesis);
            }
            if matches!(first, "policy" | "host" | "empty") {
                continue;
            }
        }
        let (act, expected) = line.split_once(" -> ").unwrap_or((line, ""));
        let (act, expected) = (act.trim(), expected.trim());
        let words: Vec<&str> = act.split_whitespace().collect();
        match words[0] {
            "at" => {
                let text = words[1];
                run.ledger.now = text.parse().unwrap_or_else(|_| noon(date(text)));
            }
            "given" => run.given(act),
            "see" => run.see(&words[1..]),
            "show" => assert_eq!(show(&run.ledger, &words[1..]), expected, "{}", run.line),
            who => {
                let signers: Vec<String> = who.split('+').map(office).collect();
                let outcome = run.act(&signers, act[who.len()..].trim());
                let told = match &outcome {
                    Ok(_) if expected == "ok" => "ok".to_owned(),
                    Ok(kinds) => kinds.join(" "),
                    Err(code) => code.clone(),
                };
                assert_eq!(told, expected, "{}", run.line);
            }
        }
    }
    run
}

fn office(name: &str) -> String {
    let bare = name.len() == 6 && name.bytes().all(|b| b.is_ascii_digit());
    if bare { format!("{name}.office") } else { name.to_owned() }
}

fn enterprise(name: &str) -> String {
    match name {
        "E1" => "91330100799655058B".to_owned(),
        "E2" => "91330000747735638J".to_owned(),
        other => other.to_owned(),
    }
}

impl<F: Fold> Run<F> {
    fn words(&self, text: &str) -> Words {
        let (text, json) = match text.find('{') {
            Some(start) => (&text[..start], Some(&text[start..])),
            None => (text, None),
        };
        let json =
            json.map(|json| serde_json::from_str(json).unwrap_or_else(|why| panic!("{}: {why}", self.line)));
        let mut words = text.split_whitespace().map(str::to_owned);
        let verb = words.next().unwrap_or_default();
        let (mut plain, mut options) = (Vec::new(), BTreeMap::new());
        while let Some(word) = words.next() {
            if OPTIONS.contains(&word.as_str()) {
                // `""` is the empty text.
                let value = words.next().unwrap_or_default().replace("\"\"", "");
                options.insert(word, value);
            } else {
                plain.push(word);
            }
        }
        Words { verb, plain, options, json }
    }

    fn given(&mut self, act: &str) {
        let words = self.words(act);
        let name = words.plain[0].clone();
        if words.plain.get(1).is_some_and(|word| word == "moved") {
            let to = words.plain[2].clone();
            let date = words.options["on"].clone();
            self.offer(&name, &to, words.json);
            self.must(&to, &format!("accept {name}"));
            self.must(&to, &format!("land {name} on {date}"));
            return;
        }
        let county = words.options["in"].clone();
        let enterprise = enterprise("E1").parse().unwrap();
        if !self.ledger.state().enterprises.contains_key(&enterprise) {
            self.must(&county, &format!("register_enterprise E1 in {county}"));
        }
        let since = words.options.get("since").map_or(String::new(), |day| format!(" on {day}"));
        let rest = ["site", "planned"]
            .map(|word| words.options.get(word).map_or(String::new(), |value| format!(" {word} {value}")));
        self.must(&county, &format!("register {name} in {county}{since}{}", rest.concat()));
    }

    /// Exhausts every tier and proposes.
    fn offer(&mut self, name: &str, to: &str, terms: Option<Value>) {
        let here = self.ledger.state().projects[&project(name)].holder();
        let here = self.ledger.state().code(here).to_string();
        for tier in ["original_site", "local", "neighbouring"] {
            let signers = [office(&here)];
            let outcome = self.act(&signers, &format!("exhaust {name} {tier}"));
            assert!(outcome.is_ok() || outcome == Err("tier_already_closed".to_owned()), "{}", self.line);
        }
        let terms = terms.map_or(String::new(), |terms| format!(" terms {terms}"));
        self.must(&here, &format!("propose {name} to {to}{terms}"));
    }

    fn must(&mut self, who: &str, text: &str) {
        let outcome = self.act(&[office(who)], text);
        assert!(outcome.is_ok(), "{}: `{who} {text}` is refused: {outcome:?}", self.line);
    }

    /// The command a line such as `register P1 in 330108` stands for.
    pub(crate) fn parse(&self, text: &str) -> Command {
        let bytes = serde_json::to_vec(&self.command(&self.words(text))).unwrap();
        Command::parse(&bytes).unwrap_or_else(|why| panic!("{}: {why}", self.line))
    }

    fn act(&mut self, signers: &[String], text: &str) -> Result<Vec<&'static str>, String> {
        let signers: Vec<&str> = signers.iter().map(String::as_str).collect();
        let command = self.parse(text);
        self.ledger.submit(&signers, &command).map_err(|refusal| {
            chinese_only(&refusal.zh(), &self.line);
            refusal.code().to_owned()
        })
    }

    /// The command as a journal would carry it.
    fn command(&self, words: &Words) -> Value {
        let Words { verb, plain, options, json } = words;
        let option = |name: &str| options.get(name).cloned().map_or(Value::Null, Value::String);
        let word = |place: usize| plain.get(place).cloned().unwrap_or_default();
        let id = |place: usize| {
            let word = word(place);
            if word.starts_with('P') { project(&word).to_string() } else { word }
        };
        let reason = || options.get("reason").cloned().unwrap_or_else(|| "as agreed".to_owned());
        let subject = |number: Option<u32>| match options.get("subject").map(String::as_str) {
            Some("none") => Value::Null,
            Some("wrong") => json!({"id": "00000000-0000-0000-0000-000000000000", "sha256": "0".repeat(64)}),
            // The right command, but other bytes of it.
            Some("altered") => {
                let subject = self.ledger.subject(project(&plain[0]), number).unwrap();
                json!({"id": subject.id, "sha256": "0".repeat(64)})
            }
            _ => plain[0]
                .starts_with('P')
                .then(|| self.ledger.subject(project(&plain[0]), number))
                .flatten()
                .map_or(Value::Null, |subject| serde_json::to_value(subject).unwrap()),
        };
        let number = || word(1).parse::<u32>().unwrap();
        let entry = |name: &String| {
            let mut entry =
                serde_json::to_value(key_entry(name, options.get("person").map(String::as_str))).unwrap();
            if let Some(region) = options.get("in") {
                entry["region"] = json!(region);
            }
            entry
        };
        let files = || {
            let holder = options.get("in").map_or("330108", String::as_str);
            let files = options.get("evidence").map(|digits| {
                digits.chars().map(|digit| json!({"description": "合同", "holder": holder, "size": 1000,
                    "media_type": "application/pdf", "sha256": format!("sha256:{}", digit.to_string().repeat(64))}))
            });
            files.into_iter().flatten().collect::<Vec<_>>()
        };
        let remedy = || json!({"kind": word(1), "amount": option("amount"), "region": option("to"), "value": option("value")});
        // What waits for the second person of the ruling authority.
        let ruling = || {
            let known = self.ledger.state().disputes.get(&dispute(&word(0)).parse().unwrap());
            let proposal = known.and_then(|known| known.proposal.as_ref());
            match (options.get("subject").map(String::as_str), proposal) {
                (Some("none"), _) | (None, None) => Value::Null,
                (None, Some(proposal)) => json!({"id": proposal.command, "sha256": proposal.command_sha256}),
                (Some(_), _) => {
                    json!({"id": "00000000-0000-0000-0000-000000000000", "sha256": "0".repeat(64)})
                }
            }
        };
        let mut fields = match verb.as_str() {
            "create_ledger" => serde_json::to_value(genesis(Policy::default())).unwrap(),
            "register_regions" | "tick" => json!({}),
            "rename_region" => json!({"region": word(0), "date": option("on"), "name_zh": option("zh"),
                "name_en": options.get("en").cloned().unwrap_or_default()}),
            "recode_region" => json!({"region": word(0), "code": option("code"), "date": option("on")}),
            "merge_region" => json!({"region": word(0), "into": option("to"), "date": option("on"),
                "document": document(options)}),
            "split_region" => json!({"region": word(0), "into": option("to"), "date": option("on"),
                "document": document(options),
                "projects": plain[1..].iter().map(|name| project(name).to_string()).collect::<Vec<_>>()}),
            "reparent_region" => json!({"region": word(0), "parent": option("to"), "date": option("on"),
                "document": document(options)}),
            "adopt_policy" => {
                let mut policy = serde_json::to_value(&self.ledger.state().policy).unwrap();
                merge(&mut policy, json.clone().unwrap_or(json!({})));
                return json!({"type": verb, "policy": policy});
            }
            "register_keys" => json!({"keys": plain.iter().map(entry).collect::<Vec<_>>()}),
            "rotate_key" | "rotate_log_key" => json!({"key": key(&word(0)), "public": public(&word(0))}),
            "revoke_key" => json!({"key": key(&word(0)), "reason": reason(),
                "compromised_since": options.get("since").map(|n| n.parse::<u64>().unwrap())}),
            "recover_key" => {
                let new = options.get("key").unwrap();
                let person = options.get("person").unwrap_or(new);
                json!({"lost": key(&word(0)), "key": key(new), "public": public(new), "person": person})
            }
            // What remains is right unless a JSON tail says otherwise.
            "redact" => {
                let position: u64 = word(0).parse().unwrap();
                let found = self.ledger.log.get(usize::try_from(position).unwrap());
                let event = &found.unwrap_or(&self.ledger.log[0]).1;
                let left = event.blanked().unwrap_or_else(|| event.clone());
                json!({"type": "redact_record", "position": position, "residue": Residue(Box::new(left)),
                    "reason": reason()})
            }
            "cancel_key_recovery" => json!({"lost": key(&word(0))}),
            "register_enterprise" => json!({"enterprise": enterprise(&word(0)), "region": option("in"),
                "name": options.get("name").cloned().unwrap_or_else(|| "Hefu Test Co".to_owned())}),
            "register" => json!({
                "type": "register_project", "project": id(0), "origin": option("in"), "date": option("on"),
                "name": options.get("name").cloned().unwrap_or_else(|| word(0)),
                "enterprise": enterprise(options.get("enterprise").map_or("E1", String::as_str)),
                "industry": options.get("industry").cloned().unwrap_or_else(|| "C34".to_owned()),
                "planned_investment": options.get("planned").cloned().unwrap_or_else(|| "0".to_owned()),
                "codes": codes(options), "site": option("site")}),
            "amend" => json!({"type": "amend_project", "project": id(0), "name": option("name"),
                "planned_investment": option("planned"), "codes": codes(options), "date": option("on")}),
            "exhaust" => json!({"type": "exhaust_tier", "project": id(0), "tier": word(1),
                "reason": options.get("reason").cloned().unwrap_or_else(|| "land".to_owned()),
                "evidence": options.get("evidence").map(|digit| format!("sha256:{}", digit.repeat(64))).as_slice()}),
            "waive" => json!({"type": "waive_tier", "project": id(0), "tier": word(1), "reason": reason()}),
            "propose" => {
                let fields = json!({"type": "propose_transfer", "project": id(0), "destination": option("to"),
                    "site": option("site"), "terms": json});
                return fields;
            }
            "accept" => json!({"type": "accept_transfer", "project": id(0), "subject": subject(None)}),
            "decline" | "withdraw" => json!({"type": format!("{verb}_transfer"), "project": id(0),
                "subject": subject(None), "reason": reason()}),
            "confirm" => json!({"type": "confirm_claim", "project": id(0), "transfer": number(),
                "subject": subject(Some(number()))}),
            "reject" => json!({"type": "reject_claim", "project": id(0), "transfer": number(),
                "subject": subject(Some(number())), "reason": reason()}),
            "land" => {
                json!({"type": "land_project", "project": id(0), "date": option("on"), "site": option("site")})
            }
            "build" => json!({"type": "start_construction", "project": id(0), "date": option("on")}),
            "produce" => json!({"type": "start_production", "project": id(0), "date": option("on")}),
            "resume" => json!({"type": "resume_project", "project": id(0), "date": option("on")}),
            "suspend" | "close" => json!({"type": format!("{verb}_project"), "project": id(0),
                "date": option("on"), "reason": reason()}),
            "split" => {
                let parts = plain[1..].iter().map(|part| {
                    let (name, ppm) = part.split_once('=').unwrap();
                    json!({"project": project(name).to_string(), "name": name, "ppm": ppm.parse::<u32>().unwrap()})
                });
                json!({"type": "split_project", "project": id(0), "date": option("on"), "reason": reason(),
                    "into": parts.collect::<Vec<_>>()})
            }
            "merge" => {
                let from = plain.iter().map(|name| project(name).to_string()).collect::<Vec<_>>();
                let into = options.get("to").map_or("P99", String::as_str);
                json!({"type": "merge_projects", "from": from, "project": project(into).to_string(),
                    "date": option("on"), "name": into, "reason": reason()})
            }
            "dispute" => {
                let matter = match word(1).as_str() {
                    "line" => json!({"kind": "line", "line": word(2), "project": id(3)}),
                    kind @ ("claim" | "transfer") => json!({"kind": kind, "project": id(2),
                        "transfer": word(3).parse::<u32>().ok(),
                        "indicator": plain.get(4), "period": plain.get(5)}),
                    kind => {
                        json!({"kind": kind, "project": id(2), "indicator": word(3), "period": plain.get(4)})
                    }
                };
                json!({"type": "open_dispute", "dispute": dispute(&word(0)), "matter": matter,
                    "reason": options.get("reason").cloned().unwrap_or_else(|| "other".to_owned()),
                    "amount": option("amount"), "evidence": files()})
            }
            "answer" => json!({"type": "answer_dispute", "dispute": dispute(&word(0)), "statement": reason(),
                "evidence": files()}),
            "add_evidence" => json!({"dispute": dispute(&word(0)), "evidence": files()}),
            "withdraw_evidence" => json!({"dispute": dispute(&word(0)), "reason": reason(),
                "sha256": options.get("evidence").map(|digit| format!("sha256:{}", digit.repeat(64)))}),
            "settle" => json!({"type": "settle_dispute", "dispute": dispute(&word(0)), "remedy": remedy()}),
            "drop" => json!({"type": "withdraw_dispute", "dispute": dispute(&word(0)), "reason": reason()}),
            "rule" => json!({"type": "propose_ruling", "dispute": dispute(&word(0)), "reasons": reason(),
                "remedy": remedy(), "evidence":
                    options.get("evidence").map(|digit| format!("sha256:{}", digit.repeat(64))).as_slice()}),
            "approve" => json!({"type": "approve_ruling", "dispute": dispute(&word(0)), "subject": ruling()}),
            "decline_ruling" => {
                json!({"dispute": dispute(&word(0)), "subject": ruling(), "reason": reason()})
            }
            "appeal" => json!({"type": "appeal_ruling", "dispute": dispute(&word(0)), "statement": reason(),
                "evidence": files()}),
            "waive_appeal" => json!({"dispute": dispute(&word(0))}),
            "report" => json!({"type": "report_observation", "project": id(0), "indicator": word(1),
                "period": word(2), "value": word(3)}),
            "tax" => json!({"type": "report_tax", "project": id(0), "kind": word(1), "date": word(2),
                "amount": word(3), "refund_of": option("refund_of"), "voucher": option("voucher"),
                "incentives": options.get("incentives").map_or("0", String::as_str)}),
            "freeze" => json!({"type": "freeze_vintage", "name": word(0), "indicators": [word(1)],
                "periods": [word(2)], "kind": "flash", "digest": "0".repeat(64),
                "position": options.get("known").map(|n| n.parse::<u64>().unwrap())}),
            "close_period" | "run_settlement" => json!({"period": word(0)}),
            "confirm_statement" | "finalise_settlement" => {
                let run = word(0).parse().ok().and_then(|period| self.ledger.state().settlement.run(period));
                let answered = run.map(|(_, run)| json!({"id": run.command, "sha256": run.command_sha256}));
                let named = if options.contains_key("subject") { subject(None) } else { answered.into() };
                json!({"period": word(0), "subject": named})
            }
            "pay" => json!({"type": "record_payment", "amount": word(0), "from": option("from"),
                "to": option("to"), "date": option("on"), "voucher": option("voucher")}),
            other => panic!("{}: `{other}` is not a verb", self.line),
        };
        if fields.get("type").is_none() {
            fields["type"] = json!(verb);
        }
        merge(&mut fields, json.clone().unwrap_or(json!({})));
        fields
    }

    fn see(&self, words: &[&str]) {
        let line = &self.line;
        let state = self.ledger.state();
        let known = |name: &str| -> ProjectId { project(name) };
        match *words {
            [name, "in", region] => {
                let here = state.projects[&known(name)].holder();
                assert_eq!(state.code(here).as_str(), region, "{line}");
            }
            [name, "in", region, "on", day] => {
                let there = state.projects[&known(name)].located(date(day));
                assert_eq!(state.code(there).as_str(), region, "{line}");
            }
            [name, "is", told] => assert_eq!(state.projects[&known(name)].name, told, "{line}"),
            [name, "codes", ref told @ ..] => {
                let codes = state.projects[&known(name)].codes.iter().map(|alias| alias.code.as_str());
                assert_eq!(codes.collect::<Vec<_>>(), told, "{line}");
            }
            [name, "open", tier] => {
                let open: Tier = state.projects[&known(name)].round.open();
                assert_eq!(open.name(), tier, "{line}");
            }
            [name, "claim", number, status] => {
                let transfer = &state.projects[&known(name)].transfers[number.parse::<usize>().unwrap()];
                let told = match transfer.claim {
                    ClaimStatus::Pending => "pending",
                    ClaimStatus::Confirmed => "confirmed",
                    ClaimStatus::Rejected => "rejected",
                };
                assert_eq!(told, status, "{line}");
            }
            [name, "outcome", number, outcome] => {
                let transfer = &state.projects[&known(name)].transfers[number.parse::<usize>().unwrap()];
                let told = match transfer.outcome {
                    Outcome::Open => "open",
                    Outcome::Accepted => "accepted",
                    Outcome::Landed { .. } => "landed",
                    Outcome::Declined => "declined",
                    Outcome::Withdrawn => "withdrawn",
                    Outcome::Expired => "expired",
                };
                assert_eq!(told, outcome, "{line}");
            }
            [name, "awaits", ref regions @ ..] => {
                let transfer = state.projects[&known(name)].transfers.last().unwrap();
                let told: Vec<&str> =
                    transfer.awaiting.iter().map(|id| state.regions.get(*id).now().code.as_str()).collect();
                assert_eq!(told, regions, "{line}");
            }
            [name, "rule", number, rule] => {
                let terms = &state.projects[&known(name)].transfers[number.parse::<usize>().unwrap()].terms;
                assert_eq!(serde_json::to_value(terms.multi_hop).unwrap(), json!(rule), "{line}");
            }
            [name, "credit", number, class, ref credit @ ..] => {
                let terms = &state.projects[&known(name)].transfers[number.parse::<usize>().unwrap()].terms;
                let told = serde_json::to_value(terms.credits).unwrap()[class].clone();
                let told = format!(
                    "{}/{} {} {}",
                    told["origin_bp"],
                    told["destination_bp"],
                    told["months"],
                    told["trigger"].as_str().unwrap()
                );
                assert_eq!(told, credit.join(" "), "{line}");
            }
            // What a region is owed (or owes) at a clearing house: finalised and not paid.
            ["balance", region, "at", house, amount] => {
                let account = (self.ledger.region(house), self.ledger.region(region));
                let balance = state.settlement.balances.get(&account).copied().unwrap_or(0);
                assert_eq!(Money::from_fen(balance).to_string(), amount, "{line}");
            }
            // A line: who owes whom, for which phase, how much.
            ["line", id, debtor, creditor, phase, class, amount] => {
                let found = state.settlement.lines.get(&id.parse().unwrap());
                let found = found.unwrap_or_else(|| panic!("{line}: no such line"));
                let told = format!(
                    "{} {} {} {} {}",
                    state.code(found.account.debtor),
                    state.code(found.account.creditor),
                    found.account.phase,
                    serde_json::to_value(found.class).unwrap().as_str().unwrap(),
                    Money::from_fen(found.amount)
                );
                assert_eq!(told, [debtor, creditor, phase, class, amount].join(" "), "{line}");
            }
            ["held", run, ref lines @ ..] => {
                let held = state.settlement.held(run.parse().unwrap());
                assert_eq!(held.map(|(id, _)| id.to_string()).collect::<Vec<_>>(), lines, "{line}");
            }
            ["confirmed", ref regions @ ..] => {
                let (_, run) = state.settlement.open().unwrap();
                let told = run.confirmed.iter().map(|id| state.code(*id).to_string());
                assert_eq!(told.collect::<Vec<_>>(), regions, "{line}");
            }
            ["lines", number] => {
                assert_eq!(state.settlement.lines.len().to_string(), number, "{line}");
            }
            // Part of a project's tax: phase, base, host's part, parties' parts.
            [name, "unit", place, phase, base, host, ref parts @ ..] => {
                let cut = Cut::until(date("9999-12-31"));
                let units = units(&state.regions, &state.projects[&known(name)], &cut);
                let unit = &units[place.parse::<usize>().unwrap()];
                let money = |fen: i64| Money::from_fen(fen).to_string();
                let phases: Vec<String> = unit.phases.iter().map(|(_, phase)| phase.to_string()).collect();
                let phases = if phases.is_empty() { "none".to_owned() } else { phases.join("+") };
                let told = unit.parts.iter().map(|p| format!("{}:{}", state.code(p.party), money(p.amount)));
                let told: Vec<String> = told.collect();
                assert_eq!(
                    (phases, money(unit.base), money(unit.host_part), told.join(" ")),
                    (phase.to_owned(), base.to_owned(), host.to_owned(), parts.join(" ")),
                    "{line}"
                );
            }
            ["key", name, status] => {
                let told = state
                    .keyring
                    .keys
                    .get(&key(name))
                    .map(|key| (key.ended.is_some(), key.compromised_since));
                let told = match told {
                    None => "unknown".to_owned(),
                    Some((false, _)) => "living".to_owned(),
                    Some((true, None)) => "ended".to_owned(),
                    Some((true, Some(position))) => format!("ended,suspect:{position}"),
                };
                assert_eq!(told, status, "{line}");
            }
            [name, "stage", stage] if name.starts_with('D') => {
                let known = &state.disputes[&dispute(name).parse().unwrap()];
                assert_eq!(known.stage.name(), stage, "{line}");
            }
            [name, "ruler", region] => {
                let known = &state.disputes[&dispute(name).parse().unwrap()];
                assert_eq!(state.code(known.ruler).as_str(), region, "{line}");
            }
            [name, "due", day] => {
                let known = &state.disputes[&dispute(name).parse().unwrap()];
                assert_eq!(known.due.map_or("never".to_owned(), |due| due.to_string()), day, "{line}");
            }
            [name, "value", indicator, period, value] => {
                let (id, entry) = state.indicator(indicator.parse().unwrap()).unwrap();
                let minor = state.projects[&known(name)].value(id, period.parse().unwrap()).unwrap();
                let told = hefu_domain::amount::format_minor(minor.into(), entry.unit.scale());
                assert_eq!(told, value, "{line}");
            }
            [name, "share", indicator, period, region, share] => {
                let (id, entry) = state.indicator(indicator.parse().unwrap()).unwrap();
                let (project, period) = (&state.projects[&known(name)], period.parse().unwrap());
                let standing = Standing::of(&state.regions, project, (id, entry.class), period);
                let value = project.value(id, period).unwrap();
                let minor = standing.share_of(self.ledger.region(region), value);
                let told = hefu_domain::amount::format_minor(minor.into(), entry.unit.scale());
                assert_eq!(told, share, "{line}");
            }
            ["region", region, "is", code, name] => {
                let now = state.regions.get(self.ledger.region(region)).now();
                assert_eq!((now.code.as_str(), now.name_zh.as_str()), (code, name), "{line}");
            }
            _ => panic!("{line}: not understood"),
        }
    }
}

/// `D1`, `D2`, …
pub(crate) fn dispute(name: &str) -> String {
    let number: u128 = name.strip_prefix('D').unwrap().parse().unwrap();
    uuid::Uuid::from_u128(0x0198_b2c4_0000_7000_9000_0000_0000_0000 + number).to_string()
}

fn codes(options: &BTreeMap<String, String>) -> Vec<String> {
    options.get("code").map(|codes| codes.split(',').map(str::to_owned).collect()).unwrap_or_default()
}

fn document(options: &BTreeMap<String, String>) -> String {
    options.get("reason").cloned().unwrap_or_else(|| "国函〔2021〕29号".to_owned())
}

/// Lays `over` onto `base`, object by object.
fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            let base: &mut Map<String, Value> = base;
            for (name, value) in over {
                merge(base.entry(name).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// A refusal in Chinese holds no English words, but for names in backticks and codes.
fn chinese_only(text: &str, line: &str) {
    let plain: String = text.split('`').step_by(2).collect();
    let mut words = plain.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let english = words.find(|word| word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_lowercase()));
    assert_eq!(english, None, "{line}: {text}");
}
