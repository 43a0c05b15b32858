//! Markdown as a tree of words: what a document or an agent wrote, without any HTML.
//!
//! The tree holds no HTML, no image and no address that a click would follow: raw HTML is shown as
//! the text it is, an image by its description, a link by its words and, to be copied, its address.
//! Whoever wrote the text can therefore make it longer, but never make it do anything. How much is
//! read is bounded.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};

/// Blocks and words of a text that are shown; the rest is said to be there.
const MAX_NODES: usize = 8_000;
/// What stands in more lists, quotes and the like than this is shown at this depth.
const MAX_DEPTH: usize = 32;

/// A whole text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Markdown {
    /// From top to bottom.
    pub(crate) blocks: Vec<Block>,
    /// Whether there was more than is shown.
    pub(crate) is_cut: bool,
}

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// A heading, 1..=6.
    Heading(u8, Vec<Inline>),
    /// Running text.
    Paragraph(Vec<Inline>),
    /// A list; numbered from a number, or with dots.
    List(Option<u64>, Vec<Item>),
    /// Somebody else's words.
    Quote(Vec<Block>),
    /// Code, or anything to be shown as it was typed.
    Code(String),
    /// A table: its head, then its rows.
    Table(Vec<Row>),
    /// A line across.
    Rule,
}

/// A table's row: the words of each cell.
pub(crate) type Row = Vec<Vec<Inline>>;

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Item {
    /// When it can be ticked off: its place among the text's such items, from 0, and whether its
    /// author ticked it.
    pub(crate) task: Option<(u64, bool)>,
    /// What it says.
    pub(crate) blocks: Vec<Block>,
}

/// Words within a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inline {
    /// As they are.
    Text(String),
    /// As they were typed.
    Code(String),
    /// Strong.
    Strong(Vec<Inline>),
    /// Stressed.
    Emphasis(Vec<Inline>),
    /// Struck out.
    Struck(Vec<Inline>),
    /// Words with an address.
    Link(Vec<Inline>, String),
    /// An image that is not fetched, by its description.
    Image(String),
    /// The line ends here.
    Break,
}

impl Markdown {
    /// Reads a text; every text is readable.
    pub(crate) fn parse(text: &str) -> Self {
        let options =
            Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH;
        let mut reader = Reader::default();
        for event in Parser::new_ext(text, options) {
            if reader.nodes >= MAX_NODES {
                reader.is_cut = true;
                break;
            }
            reader.take(event);
        }
        reader.finish()
    }
}

/// What is open while reading.
#[derive(Debug)]
enum Frame {
    Quote(Vec<Block>),
    Inlines(Close, Vec<Inline>),
    List(Option<u64>, Vec<Item>),
    Item(Item),
    Table(Vec<Row>),
    Row(Row),
}

/// What becomes of a frame when it ends.
#[derive(Debug)]
enum Close {
    Heading(u8),
    Paragraph,
    Code,
    Cell,
    Strong,
    Emphasis,
    Struck,
    Link(String),
    Image,
}

#[derive(Default)]
struct Reader {
    stack: Vec<Frame>,
    done: Vec<Block>,
    nodes: usize,
    /// Opened beyond the greatest depth, and not kept.
    beyond: usize,
    tasks: u64,
    is_cut: bool,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        self.nodes += 1;
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(_) => self.end(),
            // Text that looks like HTML is text.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.inline(Inline::Text(text.into_string()));
            }
            Event::Code(text) => self.inline(Inline::Code(text.into_string())),
            Event::SoftBreak => self.inline(Inline::Text(" ".to_owned())),
            Event::HardBreak => self.inline(Inline::Break),
            Event::Rule => self.block(Block::Rule),
            Event::TaskListMarker(done) => {
                let index = self.tasks;
                self.tasks += 1;
                let item = self.stack.iter_mut().rev().find_map(|frame| match frame {
                    Frame::Item(item) => Some(item),
                    _ => None,
                });
                if let Some(item) = item {
                    item.task = Some((index, done));
                }
            }
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.inline(Inline::Code(text.into_string()));
            }
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        if self.stack.len() >= MAX_DEPTH {
            // Deeper words are kept, what they stand in is not.
            self.beyond += 1;
            return;
        }
        let frame = match tag {
            Tag::Heading { level, .. } => Frame::Inlines(Close::Heading(rank(level)), Vec::new()),
            Tag::BlockQuote(_) => Frame::Quote(Vec::new()),
            Tag::CodeBlock(_) => Frame::Inlines(Close::Code, Vec::new()),
            Tag::List(start) => Frame::List(start, Vec::new()),
            Tag::Item => Frame::Item(Item::default()),
            Tag::Table(_) => Frame::Table(Vec::new()),
            Tag::TableHead | Tag::TableRow => Frame::Row(Vec::new()),
            Tag::TableCell => Frame::Inlines(Close::Cell, Vec::new()),
            Tag::Emphasis => Frame::Inlines(Close::Emphasis, Vec::new()),
            Tag::Strong => Frame::Inlines(Close::Strong, Vec::new()),
            Tag::Strikethrough => Frame::Inlines(Close::Struck, Vec::new()),
            Tag::Link { dest_url, .. } => {
                Frame::Inlines(Close::Link(dest_url.into_string()), Vec::new())
            }
            Tag::Image { .. } => Frame::Inlines(Close::Image, Vec::new()),
            _ => Frame::Inlines(Close::Paragraph, Vec::new()),
        };
        self.stack.push(frame);
    }

    fn end(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let Some(frame) = self.stack.pop() else {
            return;
        };
        match frame {
            Frame::Quote(blocks) => self.block(Block::Quote(blocks)),
            Frame::Inlines(close, inlines) => self.close(close, inlines),
            Frame::List(start, items) => self.block(Block::List(start, items)),
            Frame::Item(item) => {
                if let Some(Frame::List(_, items)) = self.stack.last_mut() {
                    items.push(item);
                } else {
                    self.block(Block::List(None, vec![item]));
                }
            }
            Frame::Table(rows) => self.block(Block::Table(rows)),
            Frame::Row(row) => {
                if let Some(Frame::Table(rows)) = self.stack.last_mut() {
                    rows.push(row);
                }
            }
        }
    }

    fn close(&mut self, close: Close, inlines: Vec<Inline>) {
        match close {
            Close::Heading(level) => self.block(Block::Heading(level, inlines)),
            Close::Paragraph => self.block(Block::Paragraph(inlines)),
            Close::Code => self.block(Block::Code(plain(&inlines))),
            Close::Cell => {
                if let Some(Frame::Row(row)) = self.stack.last_mut() {
                    row.push(inlines);
                }
            }
            Close::Strong => self.inline(Inline::Strong(inlines)),
            Close::Emphasis => self.inline(Inline::Emphasis(inlines)),
            Close::Struck => self.inline(Inline::Struck(inlines)),
            Close::Link(address) => self.inline(Inline::Link(inlines, address)),
            Close::Image => self.inline(Inline::Image(plain(&inlines))),
        }
    }

    fn block(&mut self, block: Block) {
        match self.stack.last_mut() {
            Some(Frame::Quote(blocks)) => blocks.push(block),
            Some(Frame::Item(item)) => item.blocks.push(block),
            // A block where words were expected: its words are kept.
            Some(Frame::Inlines(_, inlines)) => inlines.push(Inline::Text(words_of(&block))),
            Some(Frame::List(_, items)) => items.push(Item {
                task: None,
                blocks: vec![block],
            }),
            Some(Frame::Table(_) | Frame::Row(_)) => {}
            None => self.done.push(block),
        }
    }

    fn inline(&mut self, inline: Inline) {
        match self.stack.last_mut() {
            Some(Frame::Inlines(_, inlines)) => inlines.push(inline),
            // A tight list has its words without a paragraph around them.
            Some(Frame::Item(item)) => push_words(&mut item.blocks, inline),
            Some(Frame::Quote(blocks)) => push_words(blocks, inline),
            Some(Frame::List(..) | Frame::Table(_) | Frame::Row(_)) => {}
            None => push_words(&mut self.done, inline),
        }
    }

    fn finish(mut self) -> Markdown {
        self.beyond = 0;
        while !self.stack.is_empty() {
            // Only a cut text leaves something open.
            self.end();
        }
        Markdown {
            blocks: self.done,
            is_cut: self.is_cut,
        }
    }
}

fn push_words(blocks: &mut Vec<Block>, inline: Inline) {
    if let Some(Block::Paragraph(words)) = blocks.last_mut() {
        words.push(inline);
    } else {
        blocks.push(Block::Paragraph(vec![inline]));
    }
}

const fn rank(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// The words of inlines, without their dress.
pub(crate) fn plain(inlines: &[Inline]) -> String {
    let mut out = String::new();
    for inline in inlines {
        match inline {
            Inline::Text(text) | Inline::Code(text) | Inline::Image(text) => out.push_str(text),
            Inline::Strong(inner)
            | Inline::Emphasis(inner)
            | Inline::Struck(inner)
            | Inline::Link(inner, _) => out.push_str(&plain(inner)),
            Inline::Break => out.push('\n'),
        }
    }
    out
}

fn words_of(block: &Block) -> String {
    match block {
        Block::Heading(_, inlines) | Block::Paragraph(inlines) => plain(inlines),
        Block::Code(text) => text.clone(),
        Block::Quote(blocks) => blocks.iter().map(words_of).collect::<Vec<_>>().join(" "),
        Block::List(_, items) => items
            .iter()
            .flat_map(|item| item.blocks.iter().map(words_of))
            .collect::<Vec<_>>()
            .join(" "),
        Block::Table(rows) => rows
            .iter()
            .flatten()
            .map(|cell| plain(cell))
            .collect::<Vec<_>>()
            .join(" "),
        Block::Rule => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> Inline {
        Inline::Text(words.to_owned())
    }

    #[test]
    fn html_is_text_and_images_are_words() {
        let read = Markdown::parse(
            "<script>alert(1)</script>\n\nHi <img src=http://evil.tld/x onerror=alert(1)> \
             ![a cat](http://evil.tld/cat.png)",
        );
        let words: String = read.blocks.iter().map(words_of).collect();
        assert!(words.contains("<script>alert(1)</script>"), "{words}");
        assert!(
            words.contains("<img src=http://evil.tld/x onerror=alert(1)>"),
            "{words}"
        );
        assert!(
            words.contains("a cat") && !words.contains("cat.png"),
            "{words}"
        );
    }

    #[test]
    fn a_link_keeps_its_address_as_a_text() {
        let read = Markdown::parse("[click](javascript:alert(1))");
        let link = Inline::Link(vec![text("click")], "javascript:alert(1)".to_owned());
        assert_eq!(read.blocks, [Block::Paragraph(vec![link])]);
    }

    #[test]
    fn items_that_can_be_ticked_are_counted_in_their_order() {
        let read = Markdown::parse("- [x] one\n  - [ ] inner\n- plain\n\ntext\n\n1. [ ] last\n");
        let mut tasks = Vec::new();
        collect(&read.blocks, &mut tasks);
        assert_eq!(tasks, [(0, true), (1, false), (2, false)]);
    }

    fn collect(blocks: &[Block], tasks: &mut Vec<(u64, bool)>) {
        for block in blocks {
            if let Block::List(_, items) = block {
                for item in items {
                    tasks.extend(item.task);
                    collect(&item.blocks, tasks);
                }
            }
        }
    }

    #[test]
    fn a_table_has_a_head_and_rows() {
        let read = Markdown::parse("| a | b |\n|---|---|\n| 1 | **2** |\n");
        let [Block::Table(rows)] = &read.blocks[..] else {
            panic!("{read:?}");
        };
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1][1], [Inline::Strong(vec![text("2")])]);
    }

    #[test]
    fn a_text_without_end_is_cut_and_says_so() {
        let read = Markdown::parse(&"word *word*\n\n".repeat(20_000));
        assert!(read.is_cut && read.blocks.len() < MAX_NODES);
        let deep = Markdown::parse(&format!("{}x", "> ".repeat(5_000)));
        assert!(words_of(&deep.blocks[0]).contains('x'));
    }
}
