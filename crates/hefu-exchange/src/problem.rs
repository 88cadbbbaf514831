//! What can be wrong with a file: one stable code each, in English and Chinese, with what to do about it.

use std::{
    fmt::{self, Write},
    io,
};

use hefu_domain::fault::Fault;

/// Declares the problems with their code, what is wrong and what to do, in both languages.
macro_rules! problems {
    ($($(#[$doc:meta])* $code:literal $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* }
        $en:literal $zh:literal do $hint_en:literal $hint_zh:literal)*) => {
        /// One thing that is wrong with a file, a row or a cell.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Problem {
            $($(#[$doc])* $name { $($(#[$field_doc])* $field: $type),* },)*
        }

        impl Problem {
            const fn own_code(&self) -> &'static str {
                match self { $(Problem::$name { .. } => $code,)* }
            }

            /// The codes of all problems.
            pub const CODES: &'static [&'static str] = &[$($code,)*];

            /// What is wrong.
            pub fn why(&self) -> String {
                match self { $(Problem::$name { $($field),* } => { $(let _ = $field;)* format!($en) })* }
            }

            /// What is wrong, in Chinese.
            pub fn why_zh(&self) -> String {
                match self { $(Problem::$name { $($field),* } => { $(let _ = $field;)* format!($zh) })* }
            }

            /// What to do.
            pub fn hint(&self) -> String {
                match self { $(Problem::$name { $($field),* } => { $(let _ = $field;)* format!($hint_en) })* }
            }

            /// What to do, in Chinese.
            pub fn hint_zh(&self) -> String {
                match self { $(Problem::$name { $($field),* } => { $(let _ = $field;)* format!($hint_zh) })* }
            }
        }
    };
}

problems! {
    // The file as a whole.
    /// An .xlsx or .xls file.
    "spreadsheet" Spreadsheet {} "this is a spreadsheet file, not CSV" "这是电子表格文件,不是 CSV"
        do "save the sheet as CSV UTF-8" "请另存为 CSV UTF-8"
    /// Neither UTF-8 nor GB18030.
    "not_text" NotText {} "not text in UTF-8 or GB18030" "不是 UTF-8 或 GB18030 文本"
        do "save the file as UTF-8" "请另存为 UTF-8"
    /// Broken CSV.
    "bad_csv" BadCsv { /** What. */ why: String } "not CSV: {why}" "不是有效的 CSV({why})"
        do "check the quotation marks" "请检查引号"
    /// A file without anything in it.
    "empty_file" EmptyFile {} "the file is empty" "文件为空"
        do "save the table as CSV with a header row" "请将表格连同表头另存为 CSV"
    /// A header without rows.
    "no_rows" NoRows {} "no row stands under the header" "表头之下没有数据行"
        do "add one row for each item" "请在表头之下逐行填写"
    /// A quotation mark that is never closed.
    "open_quote" OpenQuote {} "a cell in this row opens a quotation mark that is never closed" "该行有单元格的引号没有闭合"
        do "close it, or write a mark inside a cell twice and the cell in marks: \"a \"\"b\"\"\"" "请补上引号;单元格内的引号须写两次,并将整个单元格括起:\"甲\"\"乙\"\"\""
    /// Text behind a closing quotation mark.
    "stray_quote" StrayQuote {} "a cell that starts in this row has text after its closing quotation mark" "始于该行的单元格在闭合引号之后还有文字"
        do "check for a missing quotation mark; write a mark inside a cell twice" "请检查是否缺少引号;单元格内的引号须写两次"
    /// An amount that may be the first part of another.
    "torn_number" TornNumber { /** The cell behind it. */ next: String }
        "with the next cell, `{next}`, it could be one number written with thousands separators" "与后一单元格 `{next}` 相连,可能是带千位分隔符的一个数"
        do "write amounts without separators or in quotation marks; if it is right as it stands, write its decimals, like 1.00"
           "金额请不写千位分隔符,或加引号;若原本无误,请写出小数,如 1.00"
    /// More cells than columns.
    "surplus_cells" SurplusCells { /** In the row. */ cells: usize, /** In the header. */ columns: usize }
        "the row has {cells} cells, the header {columns}" "该行有 {cells} 个单元格,表头只有 {columns} 列"
        do "put a number with separators in quotation marks, \"1,234.56\", or write it without: 1234.56; give every column a header"
           "带千位分隔符的数字须加引号 \"1,234.56\",或写作 1234.56;每列都须有表头"
    /// No row holds all the headers that are needed.
    "missing_columns" MissingColumns { /** Which, with their other names. */ columns: String }
        "no header row with the column {columns}" "没有包含列 {columns} 的表头"
        do "name the columns in one of the first ten rows" "请在前十行内写明列名"
    /// Two columns for one field.
    "duplicate_column" DuplicateColumn {} "a second column for the same field" "同一字段出现两列"
        do "keep one of the two columns" "请只保留其中一列"
    /// A file without any region.
    "no_regions" NoRegions {} "the file holds no region" "文件中没有地区"
        do "add one row for each region, provinces included" "请为每个地区(包括省)各填一行"
    /// The regions do not form a tree.
    "bad_tree" BadTree { /** Why. */ why: String, /** In Chinese. */ why_zh: String }
        "the regions do not form a tree: {why}" "地区不构成树:{why_zh}"
        do "check codes, levels and superiors" "请检查代码、级别和上级"

    // Cells.
    /// Nothing in a cell that is needed.
    "empty" Empty {} "empty" "为空" do "fill in a value" "请填写"
    /// Not a region code, and not a name the ledger knows.
    "bad_region" BadRegion {} "not a region of the ledger" "不是账本中的地区"
        do "use the code of six digits, like 330881" "请使用六位代码,如 330881"
    /// Not a level.
    "bad_level" BadLevel {} "not a level" "不是地区级别"
        do "use province, prefecture or county (省, 市, 县)" "请使用 省、市、县(province, prefecture, county)"
    /// A code that stands twice.
    "duplicate_region" DuplicateRegion { /** The other row. */ row: u64 } "the code already stands in row {row}" "该代码已在第 {row} 行出现"
        do "keep one of the two rows; two payments each need a voucher number of their own" "请只保留一行;如为两笔款项,请各填凭证号"
    /// No superior.
    "missing_parent" MissingParent {} "no superior" "缺少上级"
        do "fill in the code of the superior region" "请填写上级地区代码"
    /// A superior that is not in the file, or not of a higher level.
    "bad_parent" BadParent {} "not a region of a higher level in this file" "不是本文件中更高级别的地区"
        do "add a row for it, or correct the code" "请为其增加一行,或更正代码"
    /// A border of something that is not a county of the tree.
    "bad_border" BadBorder {} "not a county of the region file" "不是地区文件中的县级地区"
        do "borders join two different counties; add the county or drop the row" "边界连接两个不同的县;请增加该县或删除此行"
    /// Not a kind of border.
    "bad_border_kind" BadBorderKind {} "not a kind of border" "不是边界类型"
        do "use land, water, sea or land_xprov" "请使用 land、water、sea 或 land_xprov"
    /// Not a day.
    "bad_date" BadDate {} "not a day of the calendar" "不是日期" do "write 2023-06-01 or 2023年6月1日" "请写作 2023-06-01 或 2023年6月1日"
    /// Not a reference period.
    "bad_period" BadPeriod {} "not a period" "不是报告期"
        do "write 2023-07, 2023-Q3, 2023 or 2023年1-2月, in a column formatted as text"
           "请写作 2023-07、2023-Q3、2023 或 2023年1-2月,并将该列设为文本格式"
    /// Not a number.
    "bad_number" BadNumber {} "not a number" "不是数字" do "write digits, at most one decimal point, separators every three digits" "请写数字,最多一个小数点,千位分隔符每三位一个"
    /// A number a spreadsheet shortened.
    "shortened_number" ShortenedNumber {} "a number shortened by a spreadsheet" "被电子表格缩写的数字"
        do "format the column as a number with all digits, and save again" "请将该列设为显示全部数字的格式后重新保存"
    /// Finer than the smallest unit.
    "too_fine" TooFine { /** Decimals the unit has. */ decimals: u32 } "finer than the ledger keeps: at most {decimals} decimals in this unit" "精度超出账本:该单位最多 {decimals} 位小数"
        do "round it in the source" "请在原表中取整"
    /// Beyond the ledger's range.
    "too_large" TooLarge {} "too large for the ledger" "超出账本范围" do "check the unit" "请检查单位"
    /// Not a unit, or not one of this indicator.
    "bad_unit" BadUnit {} "not a unit of this quantity" "不是该数量的单位"
        do "use 元, 万元 or 亿元 for money and 人 for persons; convert foreign currency first" "金额请用 元、万元、亿元,人数用 人;外币请先折算"
    /// The cell says one unit, its column another.
    "unit_conflict" UnitConflict { /** The column's unit. */ unit: String } "its unit is not {unit}, which is named for it as well" "与另处写明的单位 {unit} 不一致"
        do "keep one of the two units" "请只保留一个单位"
    /// Not an indicator.
    "unknown_indicator" UnknownIndicator {} "not an indicator of the catalogue" "不是目录中的指标"
        do "use a code or name of the policy's catalogue, like INV_FAI" "请使用政策目录中的代码或名称,如 INV_FAI"
    /// An indicator that is computed, not reported.
    "derived_indicator" DerivedIndicator {} "computed by the ledger, never reported" "由账本计算,不需上报" do "leave the row out" "请删除此行"
    /// Not a project on record.
    "unknown_project" UnknownProject {} "neither a project id nor a project code on record" "不是项目编号,也不是已登记的项目代码"
        do "register the project first, or add its code with amend_project" "请先登记项目,或用 amend_project 补充代码"
    /// Id and code name two projects.
    "project_conflict" ProjectConflict {} "the code belongs to another project than the id" "该代码与项目编号属于不同项目"
        do "correct one of the two" "请更正其一"
    /// Not a kind of tax of the policy.
    "unknown_tax" UnknownTax { /** Those there are. */ known: String } "not a kind of tax of the policy" "不是政策中的税种"
        do "use one of {known}" "请使用 {known}"
    /// A refund without its day, or a day of refund beside a receipt.
    "refund_form" RefundForm {} "tax paid is positive; a refund is negative and names the day of what it refunds" "入库税款为正;退税为负,并写明原入库日期"
        do "give the refund a minus sign and the day in a column 原入库日期 (refund_of)" "退税请加负号,并在“原入库日期”(refund_of)列填写原入库日"
    /// Not a unified social credit code.
    "bad_enterprise" BadEnterprise { /** Why. */ why: String, /** In Chinese. */ why_zh: String } "{why}" "{why_zh}"
        do "copy the code from the business licence" "请按营业执照填写"
    /// Not a GB/T 4754 code.
    "bad_industry" BadIndustry {} "not an industry code" "不是行业代码" do "use a GB/T 4754 code like C34" "请使用 GB/T 4754 代码,如 C34"
    /// The same thing twice in one file.
    "duplicate_row" DuplicateRow { /** The other row. */ row: u64 } "already stands in row {row}" "已在第 {row} 行出现" do "keep one of the two rows" "请只保留一行"
    /// A year-to-date value with something missing between it and the one before.
    "cumulative_gap" CumulativeGap { /** What is missing. */ missing: String, /** The row before. */ row: u64 }
        "year-to-date value with {missing} missing between it and row {row}" "累计值与第 {row} 行之间缺 {missing}"
        do "add the missing rows, give the base in a column 基数 (base), or report the period's own value without --cumulative"
           "请补齐缺失的行,或在 基数 列填写基数,或不用 --cumulative 而上报当期值"
    /// The first year-to-date value, but not of the first period.
    "cumulative_head" CumulativeHead { /** What is missing. */ missing: String }
        "year-to-date value with {missing} missing before it" "累计值之前缺 {missing}"
        do "add the missing rows, give the base in a column 基数 (base), or report the period's own value without --cumulative"
           "请补齐缺失的行,或在 基数 列填写基数,或不用 --cumulative 而上报当期值"
    /// A year-to-date value that does not start where the year, or the project's stay, starts.
    "cumulative_start" CumulativeStart { /** Where it would have to start. */ start: String }
        "a year-to-date value here starts with {start}" "此处累计值应从 {start} 开始"
        do "name the period by its last month, or from {start} on" "请以末月或从 {start} 起命名报告期"

    // Books.
    /// A workbook that wants a password.
    "encrypted" Encrypted {} "protected with a password" "文件受密码保护" do "save it without a password" "请取消密码后重新保存"
    /// A workbook of another kind.
    "other_workbook" OtherWorkbook { /** Which. */ kind: &'static str } "a workbook of another kind: {kind}" "其他格式的工作簿:{kind}"
        do "save it as .xlsx or CSV" "请另存为 .xlsx 或 CSV"
    /// Not a workbook at all.
    "not_a_workbook" NotAWorkbook { /** Why. */ why: String } "not a workbook that can be read: {why}" "不是可读的工作簿:{why}"
        do "open it in a spreadsheet program and save it again" "请用电子表格软件打开后重新保存"
    /// A file that grows out of all proportion when it is unpacked.
    "unpacks_too_large" UnpacksTooLarge { /** Which limit. */ limit: String } "unpacks to more than {limit}" "解压后超过 {limit}"
        do "check where the file comes from; keep one table in it" "请检查文件来源;每个文件只保留一张表"
    /// More cells than a book may have.
    "too_many_cells" TooManyCells { /** The limit. */ limit: usize } "more than {limit} cells" "超过 {limit} 个单元格"
        do "split the table, or delete empty formatted rows" "请拆分表格,或删除带格式的空行"
    /// No sheet of this name.
    "no_such_sheet" NoSuchSheet { /** The sheets there are. */ sheets: String } "there is no such sheet; there are {sheets}" "没有这张工作表;现有 {sheets}"
        do "name one of them with --sheet" "请用 --sheet 指明其中一张"
    /// Several sheets that could be the book.
    "which_sheet" WhichSheet { /** Which. */ sheets: String } "several sheets could be meant: {sheets}" "有多张工作表可选:{sheets}"
        do "name one with --sheet" "请用 --sheet 指明一张"
    /// An empty cell inside a merged one.
    "merged_cell" MergedCell { /** The merged cells. */ range: String } "inside the merged cells {range}" "位于合并单元格 {range} 内"
        do "unmerge them and fill in every row" "请取消合并并逐行填写"
    /// A formula whose result is not in the file.
    "not_calculated" NotCalculated {} "a formula without a stored result" "公式没有已存的计算结果"
        do "open the file in a spreadsheet program, let it calculate, and save it; or write the number" "请用电子表格软件打开计算后保存,或直接填写数字"
    /// `#REF!` and its like.
    "cell_error" CellError {} "the spreadsheet shows an error here" "单元格显示为错误值" do "correct the formula" "请更正公式"
    /// A number cell that is too long for a number cell.
    "number_precision" NumberPrecision {} "a number cell keeps 15 significant digits; this amount needs more" "数值单元格只保留 15 位有效数字,该金额超出"
        do "format the cell as text and write the amount again" "请将单元格设为文本格式后重新填写"
    /// A name that two projects bear.
    "ambiguous_project" AmbiguousProject {} "several projects bear this name" "有多个项目使用该名称"
        do "give the project's id or its code" "请填写项目编号或项目代码"

    // Policies.
    /// Not TOML, or not a policy.
    "bad_toml" BadToml { /** Why. */ why: String, /** In Chinese. */ why_zh: String } "{why}" "{why_zh}"
        do "compare with what `hefu policy` prints; dates and amounts are written in quotation marks" "请对照 `hefu policy` 的输出;日期和金额须加引号"
    /// A policy that cannot be used.
    "bad_policy" BadPolicy { /** Which part. */ part: &'static str, /** In Chinese. */ part_zh: String }
        "cannot be used: {part}" "不可用:{part_zh}" do "correct this part" "请更正该部分"

    // Journals.
    /// The file cannot be read.
    "io" Io { /** Why. */ why: String, /** In Chinese. */ why_zh: String } "cannot be read: {why}" "无法读取:{why_zh}" do "check the file" "请检查文件"
    /// Not UTF-8.
    "not_utf8" NotUtf8 {} "not UTF-8" "不是 UTF-8" do "save the journal as UTF-8" "请将日志存为 UTF-8"
    /// Longer than 4 MiB.
    "too_long" TooLong {} "longer than 4 MiB" "超过 4 MiB" do "split it" "请拆分"
    /// Not JSON.
    "bad_json" BadJson { /** Why. */ why: String, /** In Chinese. */ why_zh: String } "not JSON: {why}" "不是 JSON:{why_zh}" do "write one JSON object a line" "每行一个 JSON 对象"
    /// One key twice.
    "duplicate_key" DuplicateKey {} "the key occurs twice" "键重复" do "keep one" "请只保留一个"
    /// Nested too deeply.
    "too_deep" TooDeep {} "nested deeper than 32 levels" "嵌套超过 32 层" do "flatten it" "请减少嵌套"
    /// Not an integer below 2^53.
    "number_form" NumberForm {} "a number that is not an integer below 2^53" "不是小于 2^53 的整数"
        do "write amounts as strings, like \"35000000.50\"" "金额请写作字符串,如 \"35000000.50\""
    /// Not an object.
    "not_an_object" NotAnObject {} "not a JSON object" "不是 JSON 对象" do "write one command a line" "每行一条命令"
    /// A signed line with something else in it, or a part missing.
    "bad_envelope" BadEnvelope {} "a signed line holds `envelope` and `sig` and nothing else" "已签名的行只含 `envelope` 和 `sig`"
        do "leave the line as it was signed" "请保持签名时的原样"
    /// A field beside the command that cannot be read.
    "bad_field" BadField { /** Why. */ why: String, /** In Chinese. */ why_zh: String } "{why}" "{why_zh}" do "correct it, or leave it out" "请更正或省略"
    /// Not a command; the fault has a code of its own.
    "bad_command" BadCommand { /** The code. */ code: &'static str, /** Why. */ why: String, /** In Chinese. */ why_zh: String }
        "{why}" "{why_zh}" do "compare with docs/COMMANDS.md" "请对照 docs/COMMANDS.md"
}

impl Problem {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Problem::BadCommand { code, .. } => code,
            other => other.own_code(),
        }
    }

    /// What a field of a command is wrong with.
    pub(crate) fn command(fault: Fault) -> Problem {
        Problem::BadCommand { code: fault.code, why: fault.en, why_zh: fault.zh }
    }

    /// A file that the system does not let us read.
    pub(crate) fn io(error: &io::Error) -> Problem {
        Problem::Io { why: error.to_string(), why_zh: io_zh(error) }
    }

    /// Text that is no JSON.
    pub(crate) fn json(why: String) -> Problem {
        let why_zh = syntax_zh(&why);
        Problem::BadJson { why, why_zh }
    }
}

/// What the system says about a file, in Chinese; its own words where there are no others.
pub fn io_zh(error: &io::Error) -> String {
    let known = match error.kind() {
        io::ErrorKind::NotFound => "文件不存在",
        io::ErrorKind::PermissionDenied => "没有权限",
        io::ErrorKind::AlreadyExists => "已存在",
        io::ErrorKind::IsADirectory => "是目录,不是文件",
        io::ErrorKind::NotADirectory => "路径中有一部分不是目录",
        io::ErrorKind::StorageFull => "磁盘空间不足",
        io::ErrorKind::ReadOnlyFilesystem => "文件系统只读",
        io::ErrorKind::UnexpectedEof => "文件意外结束",
        _ => return format!("系统错误({error})"),
    };
    known.to_owned()
}

/// What a JSON or TOML reader says about the form of a text, in Chinese; its own words, marked, where there are no others.
pub(crate) fn syntax_zh(words: &str) -> String {
    const KNOWN: [(&str, &str); 17] = [
        ("EOF while parsing", "内容不完整,中途结束"),
        ("expected value", "此处应为一个值"),
        ("trailing characters", "末尾有多余字符"),
        ("trailing comma", "末尾有多余逗号"),
        ("key must be a string", "键须为字符串,并加双引号"),
        ("expected `,` or `}`", "此处应为 `,` 或 `}`"),
        ("expected `,` or `]`", "此处应为 `,` 或 `]`"),
        ("expected `:`", "此处应为 `:`"),
        ("expected ident", "此处应为 true、false 或 null"),
        ("invalid number", "数字写法不对"),
        ("number out of range", "数字超出范围"),
        ("invalid escape", "转义写法不对"),
        ("control character", "字符串中有未转义的控制字符"),
        ("duplicate key", "键重复"),
        ("string values must be quoted", "文本和日期须加引号"),
        ("missing value", "缺少值"),
        ("invalid string", "字符串写法不对"),
    ];
    let known = KNOWN.iter().find(|(start, _)| words.starts_with(start));
    known.map_or_else(|| format!("写法有误({words})"), |(_, zh)| (*zh).to_owned())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.why(), self.hint())
    }
}

/// A place in a workbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InSheet {
    /// The sheet.
    pub name: String,
    /// The cell's address, such as `D17`; `None`: the whole sheet.
    pub cell: Option<String>,
}

/// Something wrong at one place of a table or policy file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FileError {
    /// The file, as the caller named it.
    pub file: String,
    /// Where in a workbook.
    pub sheet: Option<Box<InSheet>>,
    /// Its line, from 1; `None`: the whole file.
    pub row: Option<u64>,
    /// The column, by its header in the file; in a policy the place in the line, from 1.
    pub column: Option<String>,
    /// The field the column stands for, such as `period`.
    pub field: Option<&'static str>,
    /// What the cell holds.
    pub value: Option<String>,
    /// What is wrong with it.
    pub problem: Box<Problem>,
}

impl FileError {
    /// A problem of the whole file.
    pub(crate) fn new(file: &str, problem: Problem) -> FileError {
        FileError {
            file: file.to_owned(),
            sheet: None,
            row: None,
            column: None,
            field: None,
            value: None,
            problem: Box::new(problem),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.problem.code()
    }

    /// The whole message in Chinese.
    pub fn zh(&self) -> String {
        let mut text = self.file.clone();
        if let Some(InSheet { name, .. }) = self.sheet.as_deref() {
            let _ = write!(text, " 工作表“{name}”");
        }
        if let Some(row) = self.row {
            let _ = write!(text, " 第 {row} 行");
        }
        if let Some(column) = &self.column {
            let _ = write!(text, " “{column}”列");
        }
        let value = self.value.as_ref().map(|value| format!("`{value}` ")).unwrap_or_default();
        format!("{text}:{value}{};{}", self.problem.why_zh(), self.problem.hint_zh())
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(InSheet { name, .. }) = self.sheet.as_deref() {
            write!(f, ", sheet {name}")?;
        }
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        f.write_str(": ")?;
        if let Some(value) = &self.value {
            write!(f, "`{value}` ")?;
        }
        write!(f, "{}", self.problem)
    }
}
