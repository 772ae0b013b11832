"""Measures that no test changes: the real ones, and the real ones with roles of the tests' own."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

REGIMES = Path(__file__).parents[2] / "regimes"
READ_ONCE = {REGIMES}
"""Folders that are read once a run, since reading them takes longer than many a test."""


def with_roles(roles: Mapping[str, str]) -> Path:
    """The real measures with further roles, YAML by name; made once, gone with the process."""
    folder = Path(tempfile.mkdtemp(prefix="kehu-regimes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = Path(shutil.copytree(REGIMES, folder / "regimes"))
    for name, role in roles.items():
        (root / "company" / "role" / f"{name}.yaml").write_text(role, encoding="utf-8")
    READ_ONCE.add(root)
    return root


KIOSK = """\
id: stand
title: {zh: 报刊亭登记信息, en: "Kiosks, registration"}
requirement: R5.1
effective_from: 2025-01-01
owner: department_manager
kind: kiosk
position: 1
label: {zh: 登记信息, en: Registration}
shared:
  - group: retail.basic
    items: [customer_code, shop_name, customer_status, legal_representative, certificate_type, certificate_number]
    overrides:
      shop_name: {label: {zh: 亭名, en: Name of the kiosk}}
      legal_representative: {required: true}
  - group: retail.management
    items: [issued_on, valid_until]
  - group: retail.network
    items: [customer_manager, region]
items:
  - code: pitch_length
    label: {zh: 摊位长度, en: Length of the pitch}
    definition: {zh: 摊位沿街的长度, en: How long the pitch is along the street}
    calibre: {zh: 单位米, en: In metres}
    type: decimal
    scale: 1
    minimum: 0
    maximum: 50
    unit: {zh: 米, en: m}
    maintenance: static
    source: staff_collection
    maintained_by: customer_manager
rules:
  - id: closed-pitch
    label: {zh: 摊位与状态, en: Pitch and status}
    when: customer_status == 'active'
    expression: pitch_length > 0
    items: [pitch_length]
    message: {zh: 营业中的报刊亭有摊位, en: a pitch while the kiosk trades}
    examples:
      - {values: {customer_status: active, pitch_length: "2.5"}, passes: true}
      - {values: {customer_status: closed, pitch_length: "0"}, passes: true}
      - {values: {customer_status: active, pitch_length: "0"}, passes: false}
examples:
  - values:
      customer_code: K-0001
      shop_name: 虚构报刊亭
      legal_representative: 虚构·李四
      customer_manager: manager-1
      pitch_length: "2.5"
  - values: {pitch_length: wide, customer_code: "1"}
    faults: {pitch_length: wrong_type, customer_code: pattern_mismatch}
"""
"""A kind of customer that only tests know: one group, which takes most of its items from retail customers."""


def with_kiosks(root: Path) -> Path:
    """The real measures in a folder of the test's own, with the kind of KIOSK."""
    shutil.copytree(REGIMES, root)
    (root / "kiosk" / "dictionary").mkdir(parents=True)
    (root / "kiosk" / "dictionary" / "stand.yaml").write_text(KIOSK, encoding="utf-8")
    return root
