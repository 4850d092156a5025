-- A run is as many attempts as its processes needed. Each is claimed by one process, which tells now and then that it is alive.
ALTER TABLE analyses
    ADD COLUMN IF NOT EXISTS attempt        UInt32 DEFAULT 1,
    ADD COLUMN IF NOT EXISTS first_attempt  UInt32 DEFAULT 1,      -- since somebody last asked for it
    ADD COLUMN IF NOT EXISTS results_at     DateTime64(3, 'UTC'),  -- created_at of its results; 1970: of the latest ones
    ADD COLUMN IF NOT EXISTS cancelled_at   DateTime64(3, 'UTC'),  -- 1970 unless it was cancelled
    ADD COLUMN IF NOT EXISTS cancelled_by   String,
    ADD COLUMN IF NOT EXISTS cancel_reason  String;

-- Whose an attempt is. The deduplication token of the insert names the attempt, so that of several processes one gets it.
CREATE TABLE IF NOT EXISTS analysis_claims
(
    analysis_id  String,
    attempt      UInt32,
    owner        String,                                           -- identity of a process
    claimed_at   DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (analysis_id, attempt)
SETTINGS non_replicated_deduplication_window = 10000;

-- That the owner of an attempt is alive, and how far it is; the latest row holds.
CREATE TABLE IF NOT EXISTS analysis_beats
(
    analysis_id  String,
    attempt      UInt32,
    stages_done  UInt8,
    released     String,                                           -- why its owner gave it up; empty while it has it
    beaten_at    DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(beaten_at)
ORDER BY (analysis_id, attempt);

-- That somebody wants a run to end; holds for the attempt it names and those that follow it unasked.
CREATE TABLE IF NOT EXISTS analysis_cancellations
(
    analysis_id   String,
    attempt       UInt32,
    cancelled_at  DateTime64(3, 'UTC'),
    actor         String,
    reason        String
)
ENGINE = MergeTree
ORDER BY (analysis_id, attempt, cancelled_at);
