"""Publishes what AI systems decide to Kaizen, without ever getting in their way."""

from kaizen.config import ConfigError, Options
from kaizen.decision import Decision
from kaizen.default import configure, decision, log_decision, logged
from kaizen.event import Allocation, Fields, Labels, Lead, Level, Reasoning
from kaizen.handler import KaizenHandler
from kaizen.logger import DecisionLogger
from kaizen.stats import Stats

__all__ = [
    "Allocation",
    "ConfigError",
    "Decision",
    "DecisionLogger",
    "Fields",
    "KaizenHandler",
    "Labels",
    "Lead",
    "Level",
    "Options",
    "Reasoning",
    "Stats",
    "configure",
    "decision",
    "log_decision",
    "logged",
]
