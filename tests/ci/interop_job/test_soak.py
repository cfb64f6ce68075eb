"""What of the outside judge's words counts against the gateway."""

from ci.interop_job.soak import faults
from simulator.report.doctor import Diagnosis, DoctorFinding


def test_a_missing_ack_and_audio_one_way_count() -> None:
    found = Diagnosis(
        findings=(
            DoctorFinding("a", "error", "Missing ACK: the call dropped after ~32 seconds"),
            DoctorFinding("b", "error", "One-way audio: the caller hears nothing"),
            DoctorFinding("c", "info", "Caller hung up after 3.0s"),
        )
    )
    assert len(faults(found)) == 2


def test_what_a_busy_machine_does_is_not_held_against_it() -> None:
    late = DoctorFinding("a", "error", "Poor audio callee to caller: estimated MOS 2.3")
    assert faults(Diagnosis(findings=(late,))) == []
