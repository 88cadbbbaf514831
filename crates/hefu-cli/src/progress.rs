//! Where a long piece of work stands and how fast it goes, on a terminal only. Short work shows nothing.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes less needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A progress bar that appears after a second.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: bool,
}

impl Progress {
    /// A bar for so much, or for nobody knows how much.
    pub(crate) fn new(length: Option<u64>, what: &str, shown: bool) -> Progress {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        let template = match length {
            Some(_) => "{msg} [{bar:32}] {human_pos}/{human_len} {per_sec} {eta}",
            None => "{msg} {spinner} {human_pos} {per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        Progress { bar, started: Instant::now(), shown }
    }

    /// This much is done.
    pub(crate) fn at(&self, done: u64) {
        self.appear();
        self.bar.set_position(done);
    }

    /// So much more is done.
    pub(crate) fn more(&self, done: u64) {
        self.appear();
        self.bar.inc(done);
    }

    fn appear(&self) {
        if self.shown && self.bar.is_hidden() && self.started.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where something is missing")]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    /// A terminal that keeps what is written.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            120
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_bar_tells_how_much_is_done_and_how_fast_it_goes() {
        for (length, expected) in [(Some(2000), "1,000/2,000 "), (None, " 1,000 ")] {
            let paper = Paper::default();
            let progress = Progress::new(length, "verifying", true);
            progress.bar.set_draw_target(ProgressDrawTarget::term_like(Box::new(paper.clone())));
            progress.more(1000);
            progress.bar.force_draw();
            let drawn = paper.0.lock().unwrap().clone();
            let (before, after) = drawn.rsplit_once(expected).unwrap_or_else(|| panic!("{drawn:?}"));
            assert!(before.contains("verifying") && after.contains("/s"), "{drawn:?}");
        }
    }

    #[test]
    fn nothing_is_drawn_where_nobody_looks_or_before_it_takes_long() {
        for (shown, age) in [(false, 9), (true, 0)] {
            let mut progress = Progress::new(Some(2), "verifying", shown);
            progress.started -= Duration::from_secs(age);
            progress.at(1);
            assert!(progress.bar.is_hidden());
        }
    }
}
