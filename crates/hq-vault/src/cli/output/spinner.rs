//! A spinner on stderr for what takes over half a second; it clears itself.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Out;

/// Turns until it is dropped.
pub struct Spinner(Option<ProgressBar>);

impl Spinner {
    /// Starts one where a person looks at stderr; else does nothing.
    pub fn start(out: &Out, words: &'static str) -> Spinner {
        if !out.may_spin() {
            return Spinner(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(words);
        bar.enable_steady_tick(Duration::from_millis(120));
        Spinner(Some(bar))
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}
