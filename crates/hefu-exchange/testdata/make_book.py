"""Makes book-openpyxl.xlsx, a county's book as another program writes it: run with openpyxl 3.1 in this folder."""

import datetime

from openpyxl import Workbook

A, B = "2501-330108-04-01-123456", "2501-330108-04-01-654321"

book = Workbook()
cover = book.active
cover.title = "封面"
cover["A1"] = "江山市 2023 年账册"
page = book.create_sheet("账册")
page["A1"] = "江山市计入额"
page.merge_cells("A1:F1")
page["F2"] = "单位：万元"
page.append(["项目代码", "项目名称", "指标", "报告期", "金额", "备注"])
page.append([A, "甲", "INV_FAI", "2023-07", 3500])
page.append([A, "甲", "固定资产投资", datetime.date(2023, 8, 1), "１，２３４.50"])
page.append([B, "乙", "INV_FAI", "2023年3季度", "=E4+E5"])
page.append([B, "乙", "INV_FAI", "2023-10", "（12.3）"])
page.append([None, "乙", "INV_FAI", "2023-11", 1])
page.merge_cells("A7:A8")
page.append([A, "甲", "INV_FAI", 45170, 0.1])
page.append([A, "甲", "INV_FAI", "2023-12", "#REF!"])
page.append([A, "甲", "INV_FAI", 2024.1, "5%"])
page.append(["合 计", None, None, None, "=SUM(E4:E11)"])
old = book.create_sheet("旧账")
old.append(["项目代码", "指标", "报告期", "金额"])
old.append([A, "INV_FAI", "2022-12", 1])
old.sheet_state = "hidden"
book.save("book-openpyxl.xlsx")
