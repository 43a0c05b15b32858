//! Dumb components: props in, callbacks out. None fetches, none knows a route.

mod age;
mod banner;
mod button;
mod chart;
mod chip;
mod copy;
mod dialog;
mod empty;
mod field;
mod icon;
mod json_view;
mod kbd;
mod markdown;
mod mood;
mod popover;
mod section;
mod skeleton;
mod split_handle;
mod toast;

pub(crate) use age::Age;
pub(crate) use banner::{FailureBanner, Notice};
pub(crate) use button::{Button, ButtonKind, CommandButton};
pub(crate) use chart::ChartView;
pub(crate) use chip::{
    AgentChip, ProviderChip, SeverityChip, SeverityGlyph, StatusChip, VerdictChip, verdict_of,
};
pub(crate) use copy::{CopyButton, Indicator, Secret, copy_text};
pub(crate) use dialog::Dialog;
pub(crate) use empty::Empty;
pub(crate) use field::{Field, SelectField, Switch};
pub(crate) use icon::{Glyph, Icon};
pub(crate) use json_view::{JsonView, Place};
pub(crate) use kbd::{CommandKeys, Keys};
pub(crate) use markdown::{Checklist, MarkdownView};
pub(crate) use mood::Mood;
pub(crate) use popover::{Popover, menu_commands};
pub(crate) use section::Section;
pub(crate) use skeleton::Skeleton;
pub(crate) use split_handle::SplitHandle;
pub(crate) use toast::ToastStack;
