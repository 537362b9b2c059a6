//! An exposition in the OpenMetrics text format, read strictly (OpenMetrics 1.0, "Text Format").

use std::collections::{BTreeMap, BTreeSet};

/// One metric family.
#[derive(Default, Debug)]
pub(crate) struct Family {
    pub(crate) kind: String,
    /// What stands behind the family's name, with the labels, and the value.
    pub(crate) samples: Vec<(String, String, f64)>,
}

/// All families by name. Whatever is not as the format wants it fails the test.
pub(crate) fn read(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let (mut current, mut seen, mut helped) = (String::new(), BTreeSet::new(), BTreeSet::new());
    for line in text.lines().take_while(|line| *line != "# EOF") {
        match line.strip_prefix("# ").map(|rest| rest.splitn(3, ' ').collect::<Vec<_>>()).as_deref() {
            Some(["HELP", name, help]) => assert!(helped.insert((*name).to_owned()) && !help.is_empty(), "{line}"),
            Some(["TYPE", name, kind]) => {
                (*name).clone_into(&mut current);
                let family = Family { kind: (*kind).to_owned(), samples: Vec::new() };
                assert!(families.insert(current.clone(), family).is_none(), "twice: {line}");
            }
            Some(_) => panic!("{line}"),
            None => {
                assert!(seen.insert(line.rsplit_once(' ').unwrap().0.to_owned()), "twice: {line}");
                let family = families.get_mut(&current).expect(line);
                family.samples.push(sample(&current, line));
            }
        }
    }
    assert_eq!(helped, families.keys().cloned().collect(), "each has its help");
    for (name, family) in &families {
        family.check(name);
    }
    families
}

fn sample(family: &str, line: &str) -> (String, String, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').map_or((series, ""), |(name, labels)| (name, labels.strip_suffix('}').expect(line)));
    let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line}: not of {family}"));
    (suffix.to_owned(), labels.to_owned(), value.parse().expect(line))
}

impl Family {
    fn check(&self, name: &str) {
        let wanted: &[&str] = match &*self.kind {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_bucket", "_count", "_sum"],
            kind => panic!("{name} is a {kind}"),
        };
        for (suffix, labels, value) in &self.samples {
            assert!(wanted.contains(&&**suffix), "{name}{suffix}");
            assert!(value.is_finite() && (*value >= 0.0 || self.kind == "gauge"), "{name}{suffix}{{{labels}}} {value}");
        }
        if self.kind == "histogram" {
            self.check_buckets(name);
        }
    }

    /// Cumulative, and the last as many as there are.
    fn check_buckets(&self, name: &str) {
        let ends = self.samples.iter().filter(|(_, labels, _)| labels.contains("le=\"+Inf\"")).count();
        assert_eq!(ends, self.samples.iter().filter(|(suffix, ..)| suffix == "_count").count(), "{name}: +Inf");
        let mut last: BTreeMap<String, f64> = BTreeMap::new();
        for (_, labels, value) in self.samples.iter().filter(|(suffix, ..)| suffix == "_bucket") {
            let others: Vec<&str> = labels.split(',').filter(|label| !label.starts_with("le=")).collect();
            let before = last.insert(others.join(","), *value).unwrap_or(0.0);
            assert!(before <= *value, "{name}: {labels}");
        }
        let counts = self.samples.iter().filter(|(suffix, ..)| suffix == "_count");
        assert_eq!(last, counts.map(|(_, labels, value)| (labels.clone(), *value)).collect(), "{name}");
    }

    /// The sum over the samples that have all of these labels.
    pub(crate) fn sum(&self, suffix: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |of: &str, (name, value): &(&str, &str)| of.split(',').any(|label| label == format!("{name}=\"{value}\""));
        let matching = self.samples.iter().filter(|(own, of, _)| own == suffix && labels.iter().all(|label| has(of, label)));
        matching.map(|(.., value)| value).fold(0.0, |sum, value| sum + value)
    }
}
