//! Each way to rotate a log.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use kaizen_files::LONGEST_LINE;
use tempfile::TempDir;

use crate::reader::{ROTATE_WAIT, Reader};

struct Scene {
    folder: TempDir,
    reader: Reader,
}

impl Scene {
    fn new(patterns: &[&str]) -> Result<Self> {
        let folder = TempDir::new()?;
        let patterns: Vec<String> = (patterns.iter())
            .map(|pattern| folder.path().join(pattern).to_string_lossy().into_owned())
            .collect();
        let reader = Reader::new(&patterns, folder.path().join("state"));
        Ok(Self { folder, reader })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: &str) -> Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path(name))?;
        file.write_all(text.as_bytes())?;
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        Ok(fs::rename(self.path(from), self.path(to))?)
    }

    fn copy_and_truncate(&self, from: &str, to: &str) -> Result<()> {
        fs::copy(self.path(from), self.path(to))?;
        truncate(&self.path(from))
    }

    fn compress(&self, from: &str, to: &str) -> Result<()> {
        fs::write(self.path(to), gzip(&fs::read(self.path(from))?)?)?;
        Ok(fs::remove_file(self.path(from))?)
    }
}

fn truncate(path: &Path) -> Result<()> {
    File::options().write(true).open(path)?.set_len(0)?;
    Ok(())
}

pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[test]
fn a_renamed_file_is_read_to_its_end_whether_or_not_a_pattern_names_it() -> Result<()> {
    for pattern in ["app.log", "app.log*"] {
        let mut scene = Scene::new(&[pattern])?;
        scene.append("app.log", "a\nb\n")?;
        scene.reader.drain()?;
        scene.append("app.log", "c\n")?;
        scene.rename("app.log", "app.log.1")?;
        scene.append("app.log.1", "d\n")?;
        scene.append("app.log", "e\n")?;
        scene.reader.drain()?;
        scene.append("app.log.1", "f\n")?;
        scene.reader.drain()?;
        assert_eq!(scene.reader.texts(), ["a", "b", "c", "d", "e", "f"], "{pattern}");
        scene.reader.drain_all()?;
        assert_eq!(scene.reader.lines.len(), 6, "{pattern}: nothing is read again");
    }
    Ok(())
}

#[test]
fn a_file_renamed_while_nobody_followed_is_found_under_its_new_name() -> Result<()> {
    for pattern in ["app.log", "app.log*"] {
        let mut scene = Scene::new(&[pattern])?;
        scene.append("app.log", "a\n")?;
        scene.reader.drain()?;
        scene.reader.save()?;
        scene.reader.kill();
        scene.append("app.log", "b\n")?;
        scene.rename("app.log", "app.log.1")?;
        scene.append("app.log", "c\n")?;
        scene.reader.drain_all()?;
        let mut texts = scene.reader.texts();
        texts.sort_unstable();
        assert_eq!(texts, ["a", "b", "c"], "{pattern}");
    }
    Ok(())
}

#[test]
fn lines_written_before_a_copy_and_truncation_are_read_from_the_copy() -> Result<()> {
    for (pattern, killed) in [
        ("app.log", false),
        ("app.log*", false),
        ("app.log", true),
        ("app.log*", true),
    ] {
        let mut scene = Scene::new(&[pattern])?;
        scene.append("app.log", "a\nb\n")?;
        scene.reader.drain()?;
        scene.reader.save()?;
        if killed {
            scene.reader.kill();
        }
        scene.append("app.log", "c\n")?;
        scene.copy_and_truncate("app.log", "app.log.1")?;
        scene.append("app.log", "d\n")?;
        scene.reader.drain_all()?;
        let mut texts = scene.reader.texts();
        texts.sort_unstable();
        assert_eq!(texts, ["a", "b", "c", "d"], "{pattern}, killed {killed}");
    }
    Ok(())
}

#[test]
fn a_copy_under_way_is_not_taken_for_a_new_log() -> Result<()> {
    let mut scene = Scene::new(&["app.log*"])?;
    scene.append("app.log", "a\nb\nc\n")?;
    scene.reader.drain()?;
    scene.append("app.log.1", "a\nb")?;
    scene.reader.drain()?;
    scene.append("app.log.1", "\nc\n")?;
    scene.reader.drain()?;
    truncate(&scene.path("app.log"))?;
    scene.append("app.log", "d\n")?;
    scene.reader.drain_all()?;
    assert_eq!(scene.reader.texts(), ["a", "b", "c", "d"]);
    Ok(())
}

#[test]
fn a_log_truncated_and_grown_beyond_its_length_between_two_looks_is_a_new_one() -> Result<()> {
    let mut scene = Scene::new(&["app.log"])?;
    scene.append("app.log", "banner\na\n")?;
    scene.reader.drain()?;
    truncate(&scene.path("app.log"))?;
    scene.append("app.log", "banner\nb\nc\n")?;
    scene.reader.drain_all()?;
    assert_eq!(scene.reader.texts(), ["banner", "a", "banner", "b", "c"]);
    let mut ids: Vec<_> = scene.reader.lines.iter().map(|line| &line.event_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "the same line in a new log is another event");
    Ok(())
}

#[test]
fn a_deleted_file_is_read_to_its_end_and_then_let_go() -> Result<()> {
    let mut scene = Scene::new(&["*.log"])?;
    scene.append("app.log", "a\n")?;
    let mut writer = OpenOptions::new().append(true).open(scene.path("app.log"))?;
    scene.reader.drain()?;
    writer.write_all(b"b\n")?;
    fs::remove_file(scene.path("app.log"))?;
    scene.reader.drain()?;
    writer.write_all(b"c\nd")?;
    scene.reader.drain()?;
    assert_eq!(
        scene.reader.texts(),
        ["a", "b", "c"],
        "an incomplete line is awaited"
    );
    scene.reader.now += ROTATE_WAIT;
    scene.reader.drain()?;
    assert_eq!(
        scene.reader.texts(),
        ["a", "b", "c", "d"],
        "until its file is let go"
    );
    Ok(())
}

#[test]
fn a_line_is_handed_over_when_it_is_complete() -> Result<()> {
    let mut scene = Scene::new(&["app.log"])?;
    for part in ["a", "b\nc", "d", "\n"] {
        scene.append("app.log", part)?;
        scene.reader.drain()?;
    }
    assert_eq!(scene.reader.texts(), ["ab", "cd"]);
    let places: Vec<_> = scene
        .reader
        .lines
        .iter()
        .map(|line| (line.offset, line.number))
        .collect();
    assert_eq!(places, [(0, 1), (3, 2)]);
    Ok(())
}

#[test]
fn what_was_not_acknowledged_comes_again_after_a_crash_under_the_same_identity() -> Result<()> {
    let mut scene = Scene::new(&["app.log"])?;
    scene.append("app.log", "a\na\n")?;
    scene.reader.drain()?;
    scene.reader.save()?;
    scene.reader.acknowledges = false;
    scene.append("app.log", "b\nc\n")?;
    scene.reader.drain()?;
    scene.reader.save()?;
    scene.reader.kill();
    scene.reader.drain()?;
    assert_eq!(scene.reader.texts(), ["a", "a", "b", "c", "b", "c"]);
    let lines = &scene.reader.lines;
    assert_eq!(lines[2..4], lines[4..6]);
    assert_ne!(
        lines[0].event_id, lines[1].event_id,
        "the same text twice is two events"
    );
    Ok(())
}

#[test]
fn a_lost_checkpoint_repeats_events_under_their_identities() -> Result<()> {
    let mut scene = Scene::new(&["app.log"])?;
    scene.append("app.log", "a\nb\n")?;
    scene.reader.drain()?;
    scene.reader.save()?;
    scene.reader.kill();
    fs::remove_dir_all(scene.path("state"))?;
    scene.reader.drain()?;
    assert_eq!(scene.reader.lines[..2], scene.reader.lines[2..]);
    Ok(())
}

#[test]
fn a_rotated_file_that_is_compressed_is_not_read_again_and_its_unread_rest_is() -> Result<()> {
    for (pattern, killed) in [
        ("app.log", false),
        ("app.log*", false),
        ("app.log", true),
        ("app.log*", true),
    ] {
        let mut scene = Scene::new(&[pattern])?;
        scene.append("app.log", "a\nb\n")?;
        scene.reader.drain()?;
        scene.reader.save()?;
        if killed {
            scene.reader.kill();
            scene.append("app.log", "c\n")?;
            scene.rename("app.log", "app.log.1")?;
        } else {
            scene.append("app.log", "c\n")?;
            scene.rename("app.log", "app.log.1")?;
            scene.reader.drain()?;
        }
        scene.append("app.log", "d\n")?;
        scene.compress("app.log.1", "app.log.2.gz")?;
        scene.reader.drain_all()?;
        scene.reader.save()?;
        let mut texts: Vec<_> = scene.reader.texts().into_iter().map(str::to_owned).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["a", "b", "c", "d"], "{pattern}, killed {killed}");
        scene.reader.kill();
        scene.rename("app.log.2.gz", "app.log.3.gz")?;
        scene.reader.drain_all()?;
        assert_eq!(
            scene.reader.lines.len(),
            4,
            "{pattern}, killed {killed}: nor after a restart"
        );
    }
    Ok(())
}

#[test]
fn a_file_still_being_compressed_is_awaited_and_a_broken_one_is_told() -> Result<()> {
    let mut scene = Scene::new(&["app.log*"])?;
    let text: String = (0..5_000)
        .map(|n| format!("line {n} {:x}\n", n * 7_919 % 65_537))
        .collect();
    let compressed = gzip(text.as_bytes())?;
    scene.append("app.log", &text)?;
    scene.reader.drain()?;
    fs::write(scene.path("app.log.1.gz"), &compressed[..compressed.len() / 2])?;
    scene.reader.drain()?;
    assert_eq!(scene.reader.notes, [""; 0]);
    fs::write(scene.path("app.log.1.gz"), &compressed)?;
    fs::remove_file(scene.path("app.log"))?;
    scene.reader.drain_all()?;
    assert_eq!(scene.reader.lines.len(), 5_000);
    fs::write(scene.path("app.log.2.gz"), &gzip(b"x\ny\n")?[..15])?;
    scene.reader.drain_all()?;
    assert_eq!(scene.reader.lines.len(), 5_000);
    let [note] = scene.reader.notes.as_slice() else {
        panic!("{:?}", scene.reader.notes)
    };
    assert!(note.contains("app.log.2.gz"), "{note}");
    Ok(())
}

#[test]
fn files_that_begin_alike_are_two_logs_as_soon_as_they_differ() -> Result<()> {
    let mut scene = Scene::new(&["*.log"])?;
    scene.append("one.log", "banner\n")?;
    scene.append("two.log", "banner\n")?;
    scene.reader.drain()?;
    scene.append("two.log", "b\n")?;
    scene.append("one.log", "a\n")?;
    scene.reader.drain_all()?;
    let mut texts = scene.reader.texts();
    texts.sort_unstable();
    assert_eq!(texts, ["a", "b", "banner", "banner"]);
    Ok(())
}

#[test]
fn an_inode_used_again_is_another_log() -> Result<()> {
    let mut scene = Scene::new(&["*.log"])?;
    // File systems give a freed number to the next file, more often than not; either way two logs are read.
    for n in 0..20 {
        scene.append("app.log", &format!("banner\nfirst {n}\n"))?;
        scene.reader.drain()?;
        fs::remove_file(scene.path("app.log"))?;
        scene.reader.drain_all()?;
    }
    assert_eq!(
        scene
            .reader
            .texts()
            .iter()
            .filter(|text| text.starts_with("first"))
            .count(),
        20
    );
    Ok(())
}

#[test]
fn a_line_that_is_too_long_costs_only_itself() -> Result<()> {
    let mut scene = Scene::new(&["app.log"])?;
    scene.append("app.log", "a\n")?;
    scene.append("app.log", &"x".repeat(LONGEST_LINE))?;
    scene.append("app.log", "\n")?;
    scene.append("app.log", &"y".repeat(3 * LONGEST_LINE))?;
    scene.reader.drain()?;
    assert_eq!(scene.reader.lines.len(), 2, "the long line may go on");
    scene.append("app.log", "y\nb\n")?;
    scene.reader.drain()?;
    let texts = scene.reader.texts();
    assert_eq!((texts[0], texts[1].len(), texts[3]), ("a", LONGEST_LINE, "b"));
    assert_eq!(texts[2], format!("is longer than {LONGEST_LINE} bytes"));
    Ok(())
}

#[test]
fn what_finds_no_room_is_handed_over_later_once_and_in_order() -> Result<()> {
    let mut scene = Scene::new(&["*.log"])?;
    for n in 0..100 {
        scene.append("one.log", &format!("one {n}\n"))?;
        scene.append("two.log", &format!("two {n}\n"))?;
    }
    while scene.reader.lines.len() < 200 {
        scene.reader.room = 7;
        scene.reader.poll()?;
    }
    for log in ["one", "two"] {
        let found: Vec<_> = scene
            .reader
            .texts()
            .into_iter()
            .filter(|text| text.starts_with(log))
            .collect();
        let expected: Vec<_> = (0..100).map(|n| format!("{log} {n}")).collect();
        assert_eq!(found, expected);
    }
    Ok(())
}
