"""Every kind of customer that the measures know has a dictionary of its own, whole, in the same words as the others."""

from datetime import date
from pathlib import Path

import pytest

from shared.regime import Catalogue, FieldType, Maintenance, Use, load
from shared.regime.dictionary import Dictionary

REGIMES = load(Path(__file__).parents[2] / "regimes")
DAY = date(2026, 11, 30)
KINDS = sorted({group.kind for group in REGIMES.all(Dictionary, on=DAY)})
OF_THE_MEASURES = {
    "retail": "R1",
    "supplier": "R5.1",
    "dealer": "R5.1",
    "special": "R5.1",
    "borrower": "R4",
    "food-producer": "R6",
    "prospect": "R7",
    "website-operator": "R9",
    "aviation-enterprise": "R12",
}
NAMED = {
    "supplier": "客户名称 法定代表人 地址 邮编 电话 传真 经营范围 注册资本 年度业绩 财务状况报告年度 重大变动事项",
    "special": "机构类别",
    "borrower": "客户名称 客户代码 法定代表人 主体证件类型 主体证件代码 注册地 行政区划代码 单笔最大贷款金额 "
    "是否社团贷款 牵头社 是否违约",
    "food-producer": "食品许可证号 信用状况 最近检查结果 处罚次数 表彰次数",
    "prospect": "客户名称 业务员 客户阶段 意向产品 生产情况 资信状况",
    "website-operator": "主办者名称 网站名称 网站首页网址 专项内容 审核同意文件 是否电子公告服务 电子公告专项材料 "
    "接入服务提供者 备案编号 是否放置电子标识 住所",
    "aviation-enterprise": "企业名称 企业类别 地区管理局 汇总方式 企业负责人 总会计师 会计机构负责人 财经信息密级 "
    "重组改制日期 改制前企业",
}

each_kind = pytest.mark.parametrize("kind", KINDS)


def catalogue(kind: str) -> Catalogue:
    return REGIMES.catalogue(kind, on=DAY)


@pytest.mark.req("R5.1")
def test_the_kinds_are_those_of_the_measures() -> None:
    assert set(KINDS) >= OF_THE_MEASURES.keys()


@pytest.mark.req("R5.1")
@pytest.mark.parametrize("kind", NAMED)
def test_what_a_measure_names_is_in_its_kind(kind: str) -> None:
    items = catalogue(kind).items.values()
    assert set(NAMED[kind].split()) <= {item.label.zh for item in items}


@pytest.mark.req("R5.1")
@each_kind
def test_services_find_number_name_manager_and_status_of_a_kind(kind: str) -> None:
    found = catalogue(kind)
    assert all(found.used_as(use) for use in Use)
    assert {found.used_as(Use.NUMBER).code, found.used_as(Use.NAME).code} <= found.required


@pytest.mark.req("R5.2")
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"retail"}))
def test_the_files_of_companies_are_uniform(kind: str) -> None:
    items = catalogue(kind).items
    uniform = {
        "customer_code", "entity_name", "entity_certificate_type", "entity_certificate_number", "legal_representative",
        "certificate_type", "certificate_number", "registered_place", "region", "address", "customer_manager",
        "contact_person", "telephone",
    }  # fmt: skip
    assert uniform <= items.keys()
    of_supplier = catalogue("supplier").items
    assert all(items[code].type is of_supplier[code].type for code in uniform)


@pytest.mark.req("R1.1")
@each_kind
def test_every_item_of_a_kind_says_all_that_an_item_says(kind: str) -> None:
    found = catalogue(kind)
    for code, item in found.items.items():
        assert item.label.zh and item.label.en and item.definition.zh and item.calibre.zh, code
        assert (item.maintained_by is None) is (item.maintenance is Maintenance.SYSTEM), code
        assert item.source and item.secrecy and item.field_class and item.origin, code
        keeper = item.maintained_by and REGIMES.role(item.maintained_by, on=DAY)
        assert keeper is None or keeper.clearance.covers(item.secrecy), f"{code}: its keeper may not see it"
    labels = [item.label.zh for item in found.items.values()]
    assert len(set(labels)) == len(labels)
    assert list(found.group_of.values()) == sorted(
        found.group_of.values(), key=[group.id for group in found.groups].index
    )


@pytest.mark.req("R1.1")
@each_kind
def test_the_first_examples_of_a_kind_make_a_whole_file(kind: str) -> None:
    found = catalogue(kind)
    assert found.required <= found.example.keys()
    assert not any(found.items[code].type is FieldType.PHOTO for code in found.example)


@pytest.mark.req("R4.1")
def test_code_lists_of_national_standards_are_whole() -> None:
    region, industry = (REGIMES.codelist(each, on=DAY).codes for each in ("region", "industry"))
    assert len([code for code in region if not code.endswith("00")]) > 2800
    assert len([code for code in region if code.endswith("0000")]) == 34
    assert all(label.zh.startswith(region[f"{code[:2]}0000"].zh) for code, label in region.items())
    assert len(industry) == 20 + 97
    assert {"CNY", "USD", "EUR", "HKD"} <= REGIMES.codelist("currency", on=DAY).codes.keys()
