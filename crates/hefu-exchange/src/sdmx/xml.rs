//! XML into memory, by quick-xml: which escapes, and closes what is open.

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

/// A document under construction.
pub(super) type Xml = Writer<Vec<u8>>;

/// Attributes of an element.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a str)];

/// A document with one root.
pub(super) fn document(root: &str, attributes: Attributes<'_>, inner: impl FnOnce(&mut Xml)) -> Vec<u8> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 1);
    written(xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))));
    element(&mut xml, root, attributes, inner);
    let mut bytes = xml.into_inner();
    bytes.push(b'\n');
    bytes
}

/// An element with others in it.
pub(super) fn element(xml: &mut Xml, name: &str, attributes: Attributes<'_>, inner: impl FnOnce(&mut Xml)) {
    let start = xml.create_element(name).with_attributes(attributes.iter().copied());
    written(start.write_inner_content(|xml| {
        inner(xml);
        Ok(())
    }));
}

/// An element with a text.
pub(super) fn text(xml: &mut Xml, name: &str, attributes: Attributes<'_>, text: &str) {
    let start = xml.create_element(name).with_attributes(attributes.iter().copied());
    written(start.write_text_content(BytesText::new(text)));
}

/// An element with attributes only.
pub(super) fn empty(xml: &mut Xml, name: &str, attributes: Attributes<'_>) {
    written(xml.create_element(name).with_attributes(attributes.iter().copied()).write_empty());
}

/// Both names (trap 9).
pub(super) fn names(xml: &mut Xml, (zh, en): (&str, &str)) {
    text(xml, "com:Name", &[("xml:lang", "zh")], zh);
    text(xml, "com:Name", &[("xml:lang", "en")], en);
}

fn written<T>(result: std::io::Result<T>) {
    result.map_or_else(|error| unreachable!("memory takes all: {error}"), drop);
}
