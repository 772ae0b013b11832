"""The dictionary of retail customers holds exactly what the measure counts and names."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from shared.expressions import Schema
from shared.regime import Catalogue, Maintenance, Use, load
from shared.regime.dictionary import Origin
from shared.regime.vocabulary import compiled

REGIMES = load(Path(__file__).parents[2] / "regimes")
DAY = date(2026, 11, 1)
NAMED = {
    "basic": "客户代码 店铺名称 客户地址 经营范围 零售业态 经营性质 银行账号 纳税人登记号 纳税类型 订货方式 "
    "客户状态 结算方式",
    "network": "客户性质 注册资金 出样形式 行政区域 营业面积 客户经理 电话订货员 送货员 送货路段 送货线路 订货批次 "
    "客户经理拜访批次 订货频次 网点规模 订货周期 拜访周期",
    "management": "专卖证号 许可证类型 守法情况 发证局 专管员 客户分类 诚信等级 监控户 是否示范户 "
    "发证日期 有效日期 年审日期",
    "sales": "销售结构 经营规模 进货数量 进货金额 进货均价 经营品种数 卷烟促销行为 销售对象",
    "image": "店面照片 柜台照片 企业法人照片 客户经理照片 电话订货员照片 专管员照片 送货员照片",
    "personal": "联系人 联系电话 家庭地址 通信地址",
}


@pytest.fixture
def catalogue() -> Catalogue:
    return REGIMES.catalogue("retail", on=DAY)


@pytest.mark.req("R1.1")
def test_there_are_102_items_of_which_66_are_static_22_dynamic_and_14_computed(catalogue: Catalogue) -> None:
    classes = Counter(item.maintenance for item in catalogue.items.values())
    dynamic = classes[Maintenance.QUARTERLY] + classes[Maintenance.REALTIME]
    assert (classes[Maintenance.STATIC], dynamic, classes[Maintenance.SYSTEM]) == (66, 22, 14)
    assert len(catalogue.items) == 102
    assert (classes[Maintenance.QUARTERLY], classes[Maintenance.REALTIME]) == (15, 7)


@pytest.mark.req("R1.1")
def test_there_are_six_groups_and_what_the_measure_does_not_name_is_ours(catalogue: Catalogue) -> None:
    assert [group.id for group in catalogue.groups] == list(NAMED)
    assert Counter(catalogue.group_of.values()) == {
        "basic": 23, "network": 29, "management": 17, "sales": 15, "image": 9, "personal": 9,
    }  # fmt: skip
    named = {label for labels in NAMED.values() for label in labels.split()}
    ours = {item.label.zh for item in catalogue.items.values() if item.origin is Origin.EXTENSION}
    assert (len(named), len(ours)) == (59, 43)
    assert named.isdisjoint(ours)


@pytest.mark.req("R1.1")
@pytest.mark.parametrize("group", NAMED)
def test_every_item_that_the_measure_names_is_in_its_group(catalogue: Catalogue, group: str) -> None:
    found = {
        item.label.zh
        for code, item in catalogue.items.items()
        if catalogue.group_of[code] == group and item.origin is Origin.MEASURE
    }
    assert found == set(NAMED[group].split())


@pytest.mark.req("R1.2")
@pytest.mark.parametrize("label", ["客户状态", "联系电话", "结算方式", "银行账号"])
def test_items_that_must_be_changed_at_once_are_real_time(catalogue: Catalogue, label: str) -> None:
    [item] = [item for item in catalogue.items.values() if item.label.zh == label]
    assert item.maintenance is Maintenance.REALTIME


@pytest.mark.req("R1.3")
@pytest.mark.parametrize("label", ["守法情况", "进货数量", "进货金额", "进货均价"])
def test_computed_items_have_a_formula_and_no_keeper(catalogue: Catalogue, label: str) -> None:
    [item] = [item for item in catalogue.items.values() if item.label.zh == label]
    assert item.maintenance is Maintenance.SYSTEM
    assert item.formula is not None
    assert item.maintained_by is None


def test_codes_and_labels_tell_items_apart(catalogue: Catalogue) -> None:
    items = catalogue.items.values()
    assert len({item.label.zh for item in items}) == len(items)
    assert len({(catalogue.group_of[item.code], item.label.en) for item in items}) == len(items)


def test_services_find_the_number_the_name_and_the_manager_without_knowing_their_codes(catalogue: Catalogue) -> None:
    labels = [catalogue.used_as(use) for use in (Use.NUMBER, Use.NAME, Use.MANAGER)]
    assert [item.label.zh for item in labels if item] == ["客户代码", "店铺名称", "客户经理"]


@pytest.mark.req("R1.5")
def test_the_grade_policy_looks_at_ten_indicators_or_more_and_names_what_triggers_it(catalogue: Catalogue) -> None:
    policy = REGIMES.grade("retail", on=DAY)
    schema = Schema(catalogue.types)
    read = frozenset[str]().union(*(compiled(each.expression, schema).fields for each in policy.indicators))
    assert len(policy.indicators) >= 10
    assert {"credit_level", "total.late_payments_12m"} <= read
    assert "shop_name" not in read
