"""Reads an export by other people's models and prints what they read, as JSON.

python3 -I read.py FOLDER_OF_PACKAGES ocsf|oscal FILE
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

# What OCSF 1.5.0 and 1.8.0 have and the models of py-ocsf-models do not; they pass over it.
NOT_MODELLED = {"compliance.status", "compliance.status_details"}


def lost(written, read, path=""):
    """The members that were written and that the model did not take, or took for something else."""
    if isinstance(written, dict) and isinstance(read, dict):
        for name, value in written.items():
            below = f"{path}.{name}".lstrip(".")
            if name not in read:
                yield below
            else:
                yield from lost(value, read[name], below)
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for one, other in zip(written, read):
            yield from lost(one, other, path)
    elif written != read:
        yield f"{path}: {written!r} was read as {read!r}"


def ocsf(text):
    from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

    events = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    for event in events:
        model = ComplianceFinding.model_validate(event)
        missing = [path for path in lost(event, model.model_dump(mode="json", exclude_unset=True)) if path not in NOT_MODELLED]
        assert not missing, missing
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"], event
    return events


def oscal(text):
    from trestle.oscal.assessment_results import Model

    model = Model.model_validate(json.loads(text)).assessment_results
    (result,) = model.results
    observations = {str(one.uuid): one for one in result.observations or []}
    items = {str(one.uuid) for one in (result.local_definitions.inventory_items if result.local_definitions else None) or []}
    resources = {f"#{one.uuid}" for one in model.back_matter.resources}
    assert model.import_ap.href in resources, model.import_ap.href
    assert len(observations) == len(result.observations or []), "an observation is there twice"
    for one in observations.values():
        assert all(str(subject.subject_uuid) in items for subject in one.subjects), one
    findings = []
    for one in result.findings or []:
        assert all(str(related.observation_uuid) in observations for related in one.related_observations), one
        findings.append({"check": one.target.target_id, "state": one.target.status.state.value})
    assert len({str(one.uuid) for one in result.findings or []}) == len(findings), "a finding is there twice"
    selected = result.reviewed_controls.control_selections
    objectives = result.reviewed_controls.control_objective_selections
    return {
        "observations": len(observations),
        "findings": findings,
        "controls": [one.control_id for selection in selected for one in selection.include_controls],
        "objectives": [one.objective_id for selection in objectives for one in selection.include_objectives],
    }


with open(sys.argv[3], encoding="utf-8") as file:
    print(json.dumps({"ocsf": ocsf, "oscal": oscal}[sys.argv[2]](file.read())))
