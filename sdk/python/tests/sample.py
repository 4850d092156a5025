"""A decision of 1.2 kB, as an outreach system makes them."""

from __future__ import annotations

from kaizen import Fields


def sample(session_id: str = "session-1", **changes: object) -> Fields:
    """The fields of a valid decision."""
    fields: Fields = {
        "session_id": session_id,
        "lead_identifier": {"name": "Ada Lovelace", "company": "Analytical Engines Ltd", "industry": "Manufacturing"},
        "input_data": {
            "company_size": 240,
            "website": "https://analytical-engines.example/about-us",
            "signals": ["hiring engineers", "new funding round", "opened an office in Leeds"],
            "crm": {"stage": "qualified", "owner": "team-north", "touches": 3, "last_reply_days": 12.5},
            "prompt_version": "2024-05-r7",
        },
        "output_data": {
            "subject": "A shorter way from drawing to engine",
            "body": "Good morning, "
            + "your team plans a second line of engines this autumn, and we may be of use. " * 4,
            "template": "warm-intro-b",
            "tokens": {"prompt": 912, "completion": 164},
        },
        "decision_reasoning": {
            "method_used": "gpt_template_v3",
            "confidence_level": "high",
            "processing_time": 1.734,
            "success": True,
        },
        "training_labels": {"quality_score": 87.5, "success_indicator": True, "improvement_potential": "low"},
        "allocation": {"experiment": "subject-lines", "arm": "b", "probability": 0.5},
    }
    return {**fields, **changes}  # type: ignore[typeddict-item]
