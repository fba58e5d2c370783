#include "data/csv.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace atelier::data {
namespace {

std::string MessageOf(std::string_view text, const CsvLimits& limits = {}) {
  try {
    ParseCsv(text, "t.csv", 0, limits);
  } catch (const Error& e) {
    return e.Line();
  }
  return "";
}

TEST(Csv, ReadsQuotesBreaksAndEveryLineEnd) {
  const CsvTable table = ParseCsv("name,note\r\n\"a \"\"b\"\", c\",\"two\nlines\"\nplain,\r\"\",last", "t.csv");
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[0].cells, (std::vector<std::string>{"a \"b\", c", "two\nlines"}));
  EXPECT_EQ(table.rows[0].line, 2u);
  EXPECT_EQ(table.rows[1].cells, (std::vector<std::string>{"plain", ""}));
  EXPECT_EQ(table.rows[1].line, 4u);  // after a cell of two lines
  EXPECT_EQ(table.rows[2].cells, (std::vector<std::string>{"", "last"}));
  EXPECT_EQ(table.rows[2].line, 5u);
}

TEST(Csv, FindsTheDelimiter) {
  EXPECT_EQ(ParseCsv("a;b;c\n1;2,5;3", "t.csv").delimiter, ';');
  EXPECT_EQ(ParseCsv("a\tb\n1\t2", "t.csv").delimiter, '\t');
  EXPECT_EQ(ParseCsv("a|b\n1|2", "t.csv").delimiter, '|');
  EXPECT_EQ(ParseCsv("\"a;b;c;d\",e\n1,2", "t.csv").delimiter, ',');  // inside quotes does not count
  EXPECT_EQ(ParseCsv("only\nx", "t.csv").delimiter, ',');
}

TEST(Csv, NamesRaggedRowsByLineWithBothCounts) {
  EXPECT_NE(MessageOf("a,b,c\n1,2,3\n\n1,2\n").find("t.csv:4: a row of 2 cells where the header has 3"),
            std::string::npos);
  EXPECT_NE(MessageOf("a,b\n\"x\ny\",2\n1,2,3\n").find("t.csv:4: a row of 3 cells"), std::string::npos);
}

TEST(Csv, RefusesWhatCannotBeMeant) {
  EXPECT_NE(MessageOf("a,,c\n").find("t.csv:1: column 2 has no name"), std::string::npos);
  EXPECT_NE(MessageOf("a, b,a\n").find("columns 1 and 3 are both named 'a'"), std::string::npos);
  EXPECT_NE(MessageOf("a,b\n1,\"open\n2,3\n").find("t.csv:2: a quoted cell that never closes"), std::string::npos);
  EXPECT_NE(MessageOf("a,b\n\"x\"y,2\n").find("t.csv:2: text after a closing quote: 'y"), std::string::npos);
  EXPECT_NE(MessageOf(" \n\n").find("no header row"), std::string::npos);
  EXPECT_NE(MessageOf("").find("no header row"), std::string::npos);
}

TEST(Csv, HoldsItsLimits) {
  CsvLimits limits;
  limits.cell_bytes = 10;
  limits.rows = 2;
  EXPECT_EQ(MessageOf("a\n0123456789\n1\n", limits), "");
  EXPECT_NE(MessageOf("a\n01234567890\n", limits).find("t.csv:2: a cell of more than 10 B"), std::string::npos);
  EXPECT_NE(MessageOf("a\n\"0123456789\n\"\n", limits).find("t.csv:2: a cell of more than"), std::string::npos);
  EXPECT_NE(MessageOf("a\n1\n2\n3\n", limits).find("t.csv:4: more than 2 rows"), std::string::npos);
}

TEST(Csv, ACellOfAHundredMegabytesIsOneClearLine) {
  std::string text = "a,b\n1,\"";
  text.append(100u << 20, 'x');
  EXPECT_NE(MessageOf(text).find("t.csv:2: a cell of more than 1.0 MiB"), std::string::npos);
}

}  // namespace
}  // namespace atelier::data
