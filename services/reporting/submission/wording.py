"""What the envelope phase says about the shape of a table, in both languages. Data; the sheet says where."""

from collections.abc import Mapping
from types import MappingProxyType

from services.reporting.submission.sheet import Oddity
from shared.regime import Text

EXPECTED: Mapping[Oddity, Text] = MappingProxyType(
    {
        Oddity.NO_ROWS: Text(zh="至少一行数据", en="at least one row"),
        Oddity.NO_OBJECT: Text(zh="以列代码为键的 JSON 对象", en="a JSON object with column codes as names"),
        Oddity.RAGGED_ROW: Text(zh="与表头列数一致", en="as many cells as the header has"),
        Oddity.REPEATED_COLUMN: Text(zh="每列只出现一次", en="each column once"),
        Oddity.REPEATED_MEMBER: Text(zh="每个键只出现一次", en="each name once in a row"),
        Oddity.UNKNOWN_COLUMN: Text(zh="报表定义中的列", en="a column of the report's definition"),
        Oddity.MISSING_COLUMN: Text(zh="全部必填列", en="all required columns"),
    }
)
MESSAGE: Mapping[Oddity, Text] = MappingProxyType(
    {
        Oddity.NO_ROWS: Text(zh="没有数据行；应有{expected}。", en="The table is empty; give {expected}."),
        Oddity.NO_OBJECT: Text(zh="{seen} 不是数据行；应为{expected}。", en="{seen} is no row; expected {expected}."),
        Oddity.RAGGED_ROW: Text(
            zh="单元格数与表头列数不符（{seen}）；应{expected}。",
            en="Cells and columns differ ({seen}); give {expected}.",
        ),
        Oddity.REPEATED_COLUMN: Text(zh="列 {seen} 重复；应{expected}。", en="Column {seen} repeats; give {expected}."),
        Oddity.REPEATED_MEMBER: Text(zh="键 {seen} 重复；应{expected}。", en="Name {seen} repeats; give {expected}."),
        Oddity.UNKNOWN_COLUMN: Text(zh="没有列 {seen}；应为{expected}。", en="No column {seen}; expected {expected}."),
        Oddity.MISSING_COLUMN: Text(
            zh="缺少列 {seen}；应有{expected}。", en="Column {seen} is missing; give {expected}."
        ),
    }
)


def filled(text: str, seen: str | None, expected: str, *, empty: str) -> str:
    """A message with its slots filled in; `empty` stands for a cell without a value."""
    return text.replace("{expected}", expected).replace("{seen}", seen or empty)
