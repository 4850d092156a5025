//! The dimensions and measures that the catalogue declares, read out of an event by JSON pointer (RFC 6901).
//!
//! A dimension is a string, a number (its digits as they stand) or a boolean; longer than 256 characters, it is cut
//! there. A measure is a finite JSON number. Whatever else stands at the pointer — nothing, `null`, an empty string, an
//! object — leaves the dimension or measure absent. Of a repeated key the last one counts.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::check::{float, string};
use crate::decode::ROOT;
use crate::object::for_each_member;
use crate::validate::Decision;

/// The log types of the production log schema; they are known whatever the catalogue says.
pub const SEED_LOG_TYPES: [&str; 4] = [
    "campaign_generation",
    "enrichment_decision",
    "website_analysis",
    "airtable_operation",
];

/// Longest value of a dimension, in characters.
const MAX_DIMENSION: usize = 256;

/// What is declared for one log type.
#[derive(Debug, Clone, Default)]
pub struct LogType {
    /// Its name, as events write it.
    pub name: String,
    /// Dimensions: name and JSON pointer.
    pub dimensions: Vec<(String, String)>,
    /// Measures: name and JSON pointer.
    pub measures: Vec<(String, String)>,
}

/// The log types that are known, each with what to extract.
#[derive(Debug, Clone)]
pub struct Schema {
    log_types: Vec<(LogType, Node)>,
}

impl Schema {
    /// The declared log types and those of the seed.
    pub fn new(declared: impl IntoIterator<Item = LogType>) -> Self {
        let seed = SEED_LOG_TYPES.map(|name| LogType {
            name: name.to_owned(),
            ..LogType::default()
        });
        let mut schema = Self {
            log_types: Vec::new(),
        };
        for log_type in declared.into_iter().chain(seed) {
            if schema.log_type(&log_type.name).is_none() {
                let pointers = Node::of(&log_type);
                schema.log_types.push((log_type, pointers));
            }
        }
        schema
    }

    pub(crate) fn log_type(&self, name: &str) -> Option<&(LogType, Node)> {
        self.log_types.iter().find(|(log_type, _)| log_type.name == name)
    }
}

/// What was found, in the order of the declaration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extracted<'a> {
    /// Dimensions: name and value.
    pub dimensions: Vec<(&'a str, Cow<'a, str>)>,
    /// Measures: name and finite value.
    pub measures: Vec<(&'a str, f64)>,
}

/// Reads what is declared for the decision's log type out of its event.
pub fn extract<'a>(decision: &Decision<'a>, schema: &'a Schema) -> Extracted<'a> {
    let Some((log_type, pointers)) = schema.log_type(&decision.log_type) else {
        return Extracted::default();
    };
    let mut found = Found {
        dimensions: vec![None; log_type.dimensions.len()],
        measures: vec![None; log_type.measures.len()],
    };
    for (name, node) in &pointers.children {
        let named = ROOT.iter().position(|pointer| pointer[1..] == **name);
        let value = match named {
            Some(index) => decision.root.known[index],
            None => decision
                .root
                .unknown
                .iter()
                .rfind(|(unknown, _)| unknown == name)
                .map(|(_, value)| *value),
        };
        if let Some(value) = value {
            node.visit(value, &mut found);
        }
    }
    let name = |(name, _): &'a (String, String)| name.as_str();
    Extracted {
        dimensions: (log_type.dimensions.iter().map(name).zip(found.dimensions))
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
        measures: (log_type.measures.iter().map(name).zip(found.measures))
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
    }
}

struct Found<'a> {
    dimensions: Vec<Option<Cow<'a, str>>>,
    measures: Vec<Option<f64>>,
}

/// The pointers of a log type as a tree, so that one walk over the event serves them all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    dimensions: Vec<usize>,
    measures: Vec<usize>,
    children: Vec<(String, Self)>,
}

impl Node {
    fn of(log_type: &LogType) -> Self {
        let mut root = Self::default();
        for (index, (_, pointer)) in log_type.dimensions.iter().enumerate() {
            root.at(pointer).dimensions.push(index);
        }
        for (index, (_, pointer)) in log_type.measures.iter().enumerate() {
            root.at(pointer).measures.push(index);
        }
        root
    }

    fn at(&mut self, pointer: &str) -> &mut Self {
        pointer.split('/').skip(1).fold(self, |node, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            let index = match node.children.iter().position(|(name, _)| *name == token) {
                Some(index) => index,
                None => {
                    node.children.push((token, Self::default()));
                    node.children.len() - 1
                }
            };
            &mut node.children[index].1
        })
    }

    fn visit<'a>(&self, value: &'a RawValue, found: &mut Found<'a>) {
        for index in &self.dimensions {
            found.dimensions[*index] = dimension(value);
        }
        for index in &self.measures {
            found.measures[*index] = float(value)
                .filter(|number| number.is_finite())
                .map(|number| number + 0.0);
        }
        if self.children.is_empty() {
            return;
        }
        let child = |name: &str| {
            self.children
                .iter()
                .find(|(child, _)| child == name)
                .map(|(_, node)| node)
        };
        if value.get().starts_with('{') {
            let walked = for_each_member(value.get(), |name, value| {
                if let Some(node) = child(&name) {
                    node.visit(value, found);
                }
            });
            debug_assert!(walked.is_ok(), "the event was parsed before");
        } else if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            for (name, node) in &self.children {
                if let Some(value) = name.parse::<usize>().ok().and_then(|index| elements.get(index)) {
                    node.visit(value, found);
                }
            }
        }
    }
}

fn dimension(value: &RawValue) -> Option<Cow<'_, str>> {
    let text = match value.get().as_bytes().first()? {
        b'"' => string(value)?,
        b'{' | b'[' | b'n' => return None,
        _ => Cow::Borrowed(value.get()),
    };
    let text = match text.char_indices().nth(MAX_DIMENSION) {
        None => text,
        Some((end, _)) => match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
            Cow::Owned(mut text) => {
                text.truncate(end);
                Cow::Owned(text)
            }
        },
    };
    (!text.is_empty()).then_some(text)
}
