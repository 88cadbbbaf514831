//! Dates and periods as people write them.

use hefu_domain::{period::Period, time::Date};

use crate::text::fold;

/// A day: `2023-01-05`, `2023/1/5`, `2023.1.5`, `20230105`, `2023年1月5日`; a time of midnight after it is ignored.
pub(crate) fn date(text: &str) -> Option<Date> {
    let folded = fold(text);
    let midnight = |text: &str| matches!(text, "0:00" | "00:00" | "0:00:00" | "00:00:00");
    let day = match folded.trim().split_once([' ', 'T']) {
        Some((day, time)) if midnight(time.trim()) => day,
        Some(_) => return None,
        None => folded.trim(),
    };
    let (year, month, day) = if day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()) {
        (&day[..4], &day[4..6], &day[6..])
    } else {
        let (year, rest) = day.split_at_checked(4)?;
        if let Some(rest) = rest.strip_prefix('年') {
            let (month, day) = rest.split_once('月')?;
            (year, month, day.strip_suffix(['日', '号'])?)
        } else {
            let sign = rest.chars().next().filter(|c| "-/.".contains(*c))?;
            let (month, day) = rest[1..].split_once(sign)?;
            (year, month, day)
        }
    };
    Date::new(number(year, 4)?, i8::try_from(number(month, 2)?).ok()?, i8::try_from(number(day, 2)?).ok()?)
}

/// A period: `2023`, `2023-07`, `2023-Q3`, `2023-01..02`, `202307`, `2023年7月`, `2023年1-2月`, `2023年三季度`,
/// `2023年上半年`, `2023年前三季度`.
pub(crate) fn period(text: &str) -> Option<Period> {
    let plain = |c: char| match c {
        '—' | '–' | '~' | '至' | '到' => '-',
        c => c.to_ascii_uppercase(),
    };
    let text: String = fold(text).chars().filter(|c| !c.is_whitespace()).map(plain).collect();
    let (year, rest) = text.split_at_checked(4)?;
    let year = number(year, 4)?;
    let (first, last) = match rest.strip_prefix('年') {
        Some(rest) => chinese_months(rest)?,
        None if rest.is_empty() => (1, 12),
        None => match rest.strip_prefix(['-', '/', '.']) {
            Some(rest) => plain_months(rest)?,
            None if rest.starts_with('Q') || rest.len() == 2 => plain_months(rest)?,
            None => return None,
        },
    };
    Period::months(year, first, last)
}

/// What stands after `2023年`.
fn chinese_months(text: &str) -> Option<(u8, u8)> {
    match text {
        "" | "度" | "全年" => return Some((1, 12)),
        "上半年" => return Some((1, 6)),
        "下半年" => return Some((7, 12)),
        "前三季度" | "前3季度" => return Some((1, 9)),
        _ => {}
    }
    if let Some(months) = text.strip_suffix('月') {
        let (first, last) = months.split_once('-').unwrap_or((months, months));
        return Some((month(first.trim_end_matches('月'))?, month(last)?));
    }
    let quarter = text.strip_prefix('第').unwrap_or(text).strip_suffix("季度").or(text.strip_prefix('Q'))?;
    quarter_months(quarter)
}

/// What stands after `2023-`.
fn plain_months(text: &str) -> Option<(u8, u8)> {
    if let Some(quarter) = text.strip_prefix('Q') {
        return quarter_months(quarter);
    }
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    Some((month(first)?, month(last)?))
}

fn quarter_months(text: &str) -> Option<(u8, u8)> {
    let quarter = match text {
        "1" | "一" => 1,
        "2" | "二" => 2,
        "3" | "三" => 3,
        "4" | "四" => 4,
        _ => return None,
    };
    Some((quarter * 3 - 2, quarter * 3))
}

fn month(text: &str) -> Option<u8> {
    u8::try_from(number(text, 2)?).ok()
}

/// A number of one to `most` digits; a year has all four.
fn number(text: &str, most: usize) -> Option<i16> {
    let fits = (1..=most).contains(&text.len()) && (most < 4 || text.len() == 4);
    (fits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_as_people_write_them() {
        for text in [
            "2023-01-05",
            "2023/1/5",
            "2023.1.5",
            "20230105",
            "2023年1月5日",
            "２０２３年１月５日",
            "2023/1/5 0:00:00",
        ] {
            assert_eq!(date(text).map(|d| d.to_string()).as_deref(), Some("2023-01-05"), "{text}");
        }
        for text in
            ["2023-02-30", "23-1-5", "1/5/2023", "2023-1/5", "2023年1月", "2023-01-05 10:00", "45000", ""]
        {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn periods_as_people_write_them() {
        for (name, texts) in [
            (
                "2023-07",
                &["2023-07", "2023-7", "2023/7", "2023.07", "202307", "2023年7月", "２０２３年７月"][..],
            ),
            (
                "2023-Q3",
                &["2023-Q3", "2023q3", "2023年三季度", "2023年第三季度", "2023年3季度", "2023年7-9月"],
            ),
            ("2023", &["2023", "2023年", "2023年度", "2023年全年", "2023年1-12月", "2023-01..12"]),
            (
                "2023-01..02",
                &["2023-01..02", "2023年1-2月", "2023年1—2月", "2023年1月至2月", "2023 年 1～2 月"],
            ),
            ("2023-01..06", &["2023年上半年"]),
            ("2023-01..09", &["2023年前三季度"]),
        ] {
            for text in texts {
                assert_eq!(period(text).map(|p| p.to_string()).as_deref(), Some(name), "{text}");
            }
        }
        for text in [
            "2023-13",
            "2023-Q5",
            "2023年2-1月",
            "2023-01-02",
            "20237",
            "2023/7/1",
            "23年7月",
            "7月",
            "2023-",
            "",
        ] {
            assert_eq!(period(text), None, "{text}");
        }
    }
}
