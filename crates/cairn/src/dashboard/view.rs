//! The dashboard's picture of a training.

use std::time::Duration;

use cairn_train::EpochRecord;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, LegendPosition, Paragraph};

use super::standing::Standing;

const TRAIN: Color = Color::Blue;
const VALID: Color = Color::Yellow;
/// Rows of messages on a terminal that is not very high.
const MESSAGE_ROWS: u16 = 6;

/// Draws the whole screen.
pub(super) fn draw(frame: &mut Frame<'_>, standing: &Standing) {
    // A quarter of a high terminal is for the messages.
    let messages = MESSAGE_ROWS.max(frame.area().height / 4);
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(6),
        Constraint::Length(2),
        Constraint::Length(messages),
        Constraint::Length(1),
    ]);
    let [title, training, epoch, curves, figures, messages, keys] = rows.areas(frame.area());
    frame.render_widget(Line::from(format!("cairn  {}", standing.title)).bold(), title);
    draw_progress(frame, training, standing);
    frame.render_widget(epoch_line(standing), epoch);
    let [losses, accuracies] = Layout::horizontal([Constraint::Fill(1); 2]).areas(curves);
    draw_losses(frame, losses, standing);
    draw_accuracies(frame, accuracies, standing);
    frame.render_widget(Paragraph::new(figure_lines(standing)), figures);
    draw_messages(frame, messages, standing);
    frame.render_widget(Line::from(key_help(standing)).dim(), keys);
}

fn draw_progress(frame: &mut Frame<'_>, area: Rect, standing: &Standing) {
    let progress = standing.batch.map_or(0.0, |at| at.progress);
    let left = standing.time_left().map_or(String::new(), |left| format!(", {} left", duration(left)));
    let label = format!("{:.0}% of the training{left}", progress * 100.0);
    // A light ground under the bar would hide the label that runs over both.
    let gauge =
        Gauge::default().ratio(progress.clamp(0.0, 1.0)).label(label).gauge_style(Style::new().fg(TRAIN));
    frame.render_widget(gauge, area);
}

fn epoch_line(standing: &Standing) -> Line<'static> {
    if let Some((done, total)) = standing.features {
        return Line::from(format!("{done}/{total} photos through the frozen layers"));
    }
    let Some(at) = standing.batch else { return Line::from("reading the first photos") };
    Line::from(format!(
        "epoch {}/{}, batch {}/{}: loss {:.3}, {:.1}% right",
        at.epoch,
        standing.epochs,
        at.batch,
        at.batches,
        at.loss,
        at.accuracy * 100.0
    ))
}

fn figure_lines(standing: &Standing) -> Vec<Line<'static>> {
    let best = standing.history.best().map_or("no epoch is validated yet".to_owned(), |best| {
        let (loss, right) = (best.valid_loss, best.valid_accuracy * 100.0);
        format!("best epoch {}: validation loss {loss:.4}, {right:.1}% right", best.epoch)
    });
    let mut figures = Vec::new();
    if let Some(speed) = standing.photos_per_second() {
        figures.push(format!("{speed:.1} photos/s"));
    }
    if let Some(last) = standing.history.epochs().last() {
        figures.push(format!("{:.0}% waiting for photos", last.data_wait * 100.0));
        figures.push(format!("learning rate {:.1e}", last.learning_rate));
    }
    vec![Line::from(best), Line::from(figures.join("  "))]
}

fn draw_losses(frame: &mut Frame<'_>, area: Rect, standing: &Standing) {
    let curves = Curves::of(standing, |r| r.train_loss, |r| r.valid_loss, standing.batch.map(|at| at.loss));
    let top = curves.greatest() * 1.05;
    curves.draw(frame, area, "loss", if top > 0.0 { top } else { 1.0 }, |value| format!("{value:.2}"));
}

fn draw_accuracies(frame: &mut Frame<'_>, area: Rect, standing: &Standing) {
    let so_far = standing.batch.map(|at| at.accuracy);
    let curves = Curves::of(standing, |r| r.train_accuracy, |r| r.valid_accuracy, so_far);
    let top = ((curves.greatest() * 10.0).ceil() / 10.0).clamp(0.1, 1.0);
    curves.draw(frame, area, "accuracy", top, |value| format!("{:.0}%", value * 100.0));
}

/// A figure of training and validation: at `x` how many epochs are done.
struct Curves {
    train: Vec<(f64, f64)>,
    valid: Vec<(f64, f64)>,
}

impl Curves {
    /// Of every whole epoch, and of the one under way what it has come to `so_far`.
    fn of(
        standing: &Standing,
        train: fn(&EpochRecord) -> f64,
        valid: fn(&EpochRecord) -> f64,
        so_far: Option<f64>,
    ) -> Self {
        let epochs = standing.history.epochs();
        let points = |of: fn(&EpochRecord) -> f64| epochs.iter().map(|r| (r.epoch as f64, of(r))).collect();
        let mut curves = Self { train: points(train), valid: points(valid) };
        if let (Some(at), Some(value)) = (standing.batch, so_far)
            && at.epoch > epochs.len()
        {
            let done = (at.epoch - 1) as f64 + at.batch as f64 / at.batches as f64;
            curves.train.push((done, value));
        }
        curves
    }

    fn greatest(&self) -> f64 {
        let values = self.train.iter().chain(&self.valid).map(|point| point.1);
        values.filter(|value| value.is_finite()).fold(0.0, f64::max)
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, name: &str, top: f64, label: fn(f64) -> String) {
        let last = self.train.iter().chain(&self.valid).map(|point| point.0).fold(1.0, f64::max);
        let line = |name, points, color| {
            let dataset = Dataset::default().name(name).marker(Marker::Braille).graph_type(GraphType::Line);
            dataset.style(Style::new().fg(color)).data(points)
        };
        let faint = Style::new().fg(Color::DarkGray);
        let x = Axis::default()
            .style(faint)
            .bounds([0.0, last])
            .labels(["0".to_owned(), format!("{last:.0} epochs")]);
        let y = Axis::default().style(faint).bounds([0.0, top]).labels([0.0, top / 2.0, top].map(label));
        let chart =
            Chart::new(vec![line("training", &self.train, TRAIN), line("validation", &self.valid, VALID)])
                .block(Block::bordered().border_style(faint).title(Span::raw(name.to_owned())))
                .x_axis(x)
                .y_axis(y)
                // Losses leave the corner at the top right free, accuracies the one at the bottom.
                .legend_position(Some(if name == "loss" {
                    LegendPosition::TopRight
                } else {
                    LegendPosition::BottomRight
                }))
                .hidden_legend_constraints((Constraint::Percentage(60), Constraint::Percentage(60)));
        frame.render_widget(chart, area);
    }
}

fn draw_messages(frame: &mut Frame<'_>, area: Rect, standing: &Standing) {
    let block = Block::bordered().border_style(Style::new().fg(Color::DarkGray)).title("messages");
    let rows = usize::from(block.inner(area).height);
    let first = standing.messages.len().saturating_sub(rows);
    let lines: Vec<Line<'_>> =
        standing.messages.iter().skip(first).map(|line| Line::from(line.as_str())).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn key_help(standing: &Standing) -> &'static str {
    if standing.stopping {
        "stopping after this batch, and saving; q again: stop at once, without saving"
    } else {
        "q or Ctrl-C: save and stop"
    }
}

/// `3 min 20 s`, `2 h 5 min`: the two largest units.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use cairn_train::{Event, History};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn epoch(epoch: usize) -> EpochRecord {
        EpochRecord {
            epoch,
            learning_rate: 1e-3,
            train_loss: 3.5 * 0.8_f64.powi(epoch as i32),
            train_accuracy: 0.1 * epoch as f64,
            valid_loss: 3.4 * 0.85_f64.powi(epoch as i32),
            valid_accuracy: 0.08 * epoch as f64,
            valid_macro_f1: 0.1,
            best: true,
            train_seconds: 10.0,
            photos_per_second: 42.0,
            data_wait: 0.07,
            bad_photos: 0,
        }
    }

    fn standing() -> Standing {
        let history = History::from((1..=4).map(epoch).collect::<Vec<_>>());
        let mut standing = Standing::new("runs/quick-1  resnet10-small".to_owned(), 20, history);
        standing.note(&Event::Started {
            train_photos: 100,
            valid_photos: 10,
            parameters: 1_000_000,
            epoch: 5,
        });
        let record = epoch(5);
        standing.note(&Event::Epoch { record: &record, best_before: 1.8 });
        let (loss, accuracy) = (0.9, 0.55);
        standing.note(&Event::Batch { epoch: 6, batch: 3, batches: 12, loss, accuracy, progress: 0.26 });
        standing
    }

    /// What stands on a terminal of this size.
    fn drawn(width: u16, height: u16, standing: &Standing) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, standing)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn everything_that_counts_is_on_a_terminal_of_80_by_24_and_on_larger_ones() {
        for (width, height) in [(80, 24), (140, 40)] {
            let screen = drawn(width, height, &standing());
            for text in [
                "runs/quick-1  resnet10-small",
                "26% of the training",
                "epoch 6/20, batch 3/12: loss 0.900, 55.0% right",
                "best epoch 5: validation loss 1.5086, 40.0% right",
                "42.0 photos/s",
                "7% waiting for photos",
                "learning rate 1.0e-3",
                "validation loss decreased (1.8000 --> 1.5086), saving the model",
                "training",
                "validation",
                "q or Ctrl-C",
            ] {
                assert!(screen.contains(text), "no {text:?} at {width} x {height}:\n{screen}");
            }
        }
    }

    #[test]
    fn nothing_known_yet_and_the_smallest_terminals_are_drawn_too() {
        let fresh = Standing::new("run".to_owned(), 10, History::default());
        assert!(drawn(80, 24, &fresh).contains("no epoch is validated yet"));
        for (width, height) in [(1, 1), (10, 3), (20, 10)] {
            drawn(width, height, &standing());
        }
    }

    #[test]
    fn a_stop_that_was_asked_for_is_acknowledged() {
        let mut standing = standing();
        standing.stopping = true;
        assert!(drawn(80, 24, &standing).contains("stopping after this batch"));
    }

    #[test]
    fn times_are_said_in_their_two_largest_units() {
        let said = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(
            [said(5), said(65), said(7_300), said(100_000)],
            ["5 s", "1 min 5 s", "2 h 1 min", "1 d 3 h"]
        );
    }
}
