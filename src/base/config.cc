#include "base/config.h"

#include <cmath>
#include <map>
#include <set>
#include <variant>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier {

// A copy of toml++'s tree that keeps the order, the lines and which keys were read.
struct TomlNode {
  using Array = std::vector<std::shared_ptr<TomlNode>>;
  using Map = std::vector<std::pair<std::string, std::shared_ptr<TomlNode>>>;
  std::variant<std::monostate, std::string, int64_t, double, bool, Array, Map> value;
  std::shared_ptr<std::string> file;
  size_t line = 0;
  std::string path;  // "step.writer"
  std::set<std::string, std::less<>> asked;
};

namespace {

std::shared_ptr<TomlNode> Convert(const toml::node& from, const std::shared_ptr<std::string>& file, std::string path) {
  auto node = std::make_shared<TomlNode>();
  node->file = file;
  node->line = from.source().begin.line;
  node->path = path;
  switch (from.type()) {
    case toml::node_type::string: node->value = from.as_string()->get(); break;
    case toml::node_type::integer: node->value = from.as_integer()->get(); break;
    case toml::node_type::floating_point: node->value = from.as_floating_point()->get(); break;
    case toml::node_type::boolean: node->value = from.as_boolean()->get(); break;
    case toml::node_type::array: {
      TomlNode::Array array;
      for (const toml::node& item : *from.as_array()) array.push_back(Convert(item, file, path));
      node->value = std::move(array);
      break;
    }
    case toml::node_type::table: {
      TomlNode::Map map;
      for (const auto& [key, item] : *from.as_table()) {
        std::string name(key.str());
        map.emplace_back(name, Convert(item, file, path.empty() ? name : Cat(path, ".", name)));
      }
      // toml++ sorts by name; people expect the order they wrote.
      std::stable_sort(map.begin(), map.end(),
                       [](const auto& a, const auto& b) { return a.second->line < b.second->line; });
      node->value = std::move(map);
      break;
    }
    default:
      throw Error(Code::kInvalidInput, Cat(*file, ":", node->line, ": dates and times are not used here"),
                  "write it as a string in quotes");
  }
  return node;
}

const char* TypeName(const TomlNode& node) {
  constexpr const char* kNames[] = {"nothing",   "a string", "an integer", "a number",
                                    "a boolean", "an array", "a table"};
  return kNames[node.value.index()];
}

Json AsJson(const TomlNode& node) {
  if (const auto* array = std::get_if<TomlNode::Array>(&node.value)) {
    Json out = Json::array();
    for (const auto& item : *array) out.push_back(AsJson(*item));
    return out;
  }
  if (const auto* map = std::get_if<TomlNode::Map>(&node.value)) {
    Json out = Json::object();
    for (const auto& [name, item] : *map) out[name] = AsJson(*item);
    return out;
  }
  if (const auto* text = std::get_if<std::string>(&node.value)) return *text;
  if (const auto* number = std::get_if<int64_t>(&node.value)) return *number;
  if (const auto* number = std::get_if<double>(&node.value)) return *number;
  if (const auto* flag = std::get_if<bool>(&node.value)) return *flag;
  return nullptr;
}

}  // namespace

Json Table::ToJson() const { return AsJson(*node_); }

Table::Table(std::shared_ptr<TomlNode> node) : node_(std::move(node)) {}

Table Table::Parse(std::string_view text, std::string file) {
  constexpr size_t kMost = 4u << 20;
  if (text.size() > kMost) {
    throw Error(Code::kInvalidInput, Cat(file, ": a configuration of ", FormatBytes(text.size())), "4 MiB is the most");
  }
  try {
    toml::table parsed = toml::parse(text, file);
    return Table(Convert(parsed, std::make_shared<std::string>(file), ""));
  } catch (const toml::parse_error& e) {
    throw Error(Code::kInvalidInput,
                Cat(file, ":", e.source().begin.line, ":", e.source().begin.column, ": ", e.description()));
  }
}

Table Table::Load(const std::string& path) { return Parse(ReadFile(path, 4u << 20), path); }

std::string Table::Where(std::string_view key) const {
  size_t line = node_->line;
  if (const auto* map = std::get_if<TomlNode::Map>(&node_->value)) {
    for (const auto& [name, item] : *map) {
      if (name == key) line = item->line;
    }
  }
  std::string where = Cat(*node_->file, ":", line);
  if (!node_->path.empty()) where += Cat(": [", node_->path, "]");
  if (!key.empty()) where += Cat(node_->path.empty() ? ": " : " ", key);
  return where;
}

void Table::Refuse(std::string_view key, std::string_view why, std::string hint) const {
  throw Error(Code::kInvalidInput, Cat(Where(key), ": ", why), std::move(hint));
}

const TomlNode* Table::Find(std::string_view key) {
  node_->asked.emplace(key);
  for (const auto& [name, item] : std::get<TomlNode::Map>(node_->value)) {
    if (name == key) return item.get();
  }
  return nullptr;
}

const TomlNode& Table::Require(std::string_view key) {
  const TomlNode* found = Find(key);
  if (found == nullptr) {
    std::string near;
    std::vector<std::string> present = Keys();
    near = Nearest(key, present);
    Refuse("", Cat("the key '", key, "' is missing"), near.empty() ? "" : Cat("is '", near, "' meant for it?"));
  }
  return *found;
}

bool Table::Has(std::string_view key) const {
  for (const auto& [name, item] : std::get<TomlNode::Map>(node_->value)) {
    if (name == key) return true;
  }
  return false;
}

std::vector<std::string> Table::Keys() const {
  std::vector<std::string> keys;
  for (const auto& [name, item] : std::get<TomlNode::Map>(node_->value)) keys.push_back(name);
  return keys;
}

std::string Table::String(std::string_view key) {
  const TomlNode& node = Require(key);
  if (const auto* value = std::get_if<std::string>(&node.value)) return *value;
  Refuse(key, Cat("wants a string, not ", TypeName(node)));
}

int64_t Table::Int(std::string_view key, int64_t least, int64_t most) {
  const TomlNode& node = Require(key);
  const auto* value = std::get_if<int64_t>(&node.value);
  if (value == nullptr) Refuse(key, Cat("wants a whole number, not ", TypeName(node)));
  if (*value < least || *value > most) {
    Refuse(key, Cat(*value, " is out of range"), Cat("from ", least, " to ", most));
  }
  return *value;
}

double Table::Double(std::string_view key, double least, double most) {
  const TomlNode& node = Require(key);
  double value = 0;
  if (const auto* number = std::get_if<double>(&node.value)) {
    value = *number;
  } else if (const auto* whole = std::get_if<int64_t>(&node.value)) {
    value = static_cast<double>(*whole);
  } else {
    Refuse(key, Cat("wants a number, not ", TypeName(node)));
  }
  if (!(value >= least && value <= most))
    Refuse(key, Cat(value, " is out of range"), Cat("from ", least, " to ", most));
  return value;
}

bool Table::Bool(std::string_view key) {
  const TomlNode& node = Require(key);
  if (const auto* value = std::get_if<bool>(&node.value)) return *value;
  Refuse(key, Cat("wants true or false, not ", TypeName(node)));
}

std::vector<std::string> Table::Strings(std::string_view key) {
  const TomlNode& node = Require(key);
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  if (array == nullptr) Refuse(key, Cat("wants an array of strings, not ", TypeName(node)));
  std::vector<std::string> out;
  for (const auto& item : *array) {
    const auto* value = std::get_if<std::string>(&item->value);
    if (value == nullptr) Refuse(key, Cat("wants strings in the array, not ", TypeName(*item)));
    out.push_back(*value);
  }
  return out;
}

std::vector<double> Table::Doubles(std::string_view key) {
  const TomlNode& node = Require(key);
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  if (array == nullptr) Refuse(key, Cat("wants an array of numbers, not ", TypeName(node)));
  std::vector<double> out;
  for (const auto& item : *array) {
    if (const auto* number = std::get_if<double>(&item->value)) {
      out.push_back(*number);
    } else if (const auto* whole = std::get_if<int64_t>(&item->value)) {
      out.push_back(static_cast<double>(*whole));
    } else {
      Refuse(key, Cat("wants numbers in the array, not ", TypeName(*item)));
    }
  }
  return out;
}

Table Table::Sub(std::string_view key) {
  const TomlNode& node = Require(key);
  if (!std::holds_alternative<TomlNode::Map>(node.value)) Refuse(key, Cat("wants a table, not ", TypeName(node)));
  for (const auto& [name, item] : std::get<TomlNode::Map>(node_->value)) {
    if (name == key) return Table(item);
  }
  Refuse(key, "is missing");
}

std::vector<Table> Table::Tables(std::string_view key) {
  const TomlNode& node = Require(key);
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  if (array == nullptr) Refuse(key, Cat("wants an array of tables, not ", TypeName(node)), Cat("write [[", key, "]]"));
  std::vector<Table> out;
  for (const auto& item : *array) {
    if (!std::holds_alternative<TomlNode::Map>(item->value)) Refuse(key, "wants tables in the array");
    out.push_back(Table(item));
  }
  return out;
}

std::string Table::StringOr(std::string_view key, std::string otherwise) { return Find(key) ? String(key) : otherwise; }
int64_t Table::IntOr(std::string_view key, int64_t otherwise, int64_t least, int64_t most) {
  return Find(key) ? Int(key, least, most) : otherwise;
}
double Table::DoubleOr(std::string_view key, double otherwise, double least, double most) {
  return Find(key) ? Double(key, least, most) : otherwise;
}
bool Table::BoolOr(std::string_view key, bool otherwise) { return Find(key) ? Bool(key) : otherwise; }
std::vector<std::string> Table::StringsOr(std::string_view key, std::vector<std::string> otherwise) {
  return Find(key) ? Strings(key) : otherwise;
}
std::optional<Table> Table::SubOr(std::string_view key) {
  if (Find(key) == nullptr) return std::nullopt;
  return Sub(key);
}
std::vector<Table> Table::TablesOr(std::string_view key) { return Find(key) ? Tables(key) : std::vector<Table>(); }

std::vector<std::string> Table::StringOrStrings(std::string_view key) {
  const TomlNode& node = Require(key);
  if (const auto* value = std::get_if<std::string>(&node.value)) return {*value};
  return Strings(key);
}

std::string Table::Scalar(std::string_view key) {
  const TomlNode& node = Require(key);
  if (const auto* text = std::get_if<std::string>(&node.value)) return *text;
  if (const auto* whole = std::get_if<int64_t>(&node.value)) return Cat(*whole);
  if (const auto* number = std::get_if<double>(&node.value)) return Cat(*number);
  if (const auto* flag = std::get_if<bool>(&node.value)) return *flag ? "true" : "false";
  Refuse(key, Cat("wants a single value, not ", TypeName(node)));
}

void Table::Overlay(const Table& over) {
  // Copies this level first: the tree is shared between Tables and may stand in other places too.
  auto copy = std::make_shared<TomlNode>(*node_);
  auto& map = std::get<TomlNode::Map>(copy->value);
  for (const auto& [key, item] : std::get<TomlNode::Map>(over.node_->value)) {
    auto at = std::find_if(map.begin(), map.end(), [&name = key](const auto& entry) { return entry.first == name; });
    if (at == map.end()) {
      map.emplace_back(key, item);
    } else if (std::holds_alternative<TomlNode::Map>(at->second->value) &&
               std::holds_alternative<TomlNode::Map>(item->value)) {
      Table merged(at->second);
      merged.Overlay(Table(item));
      at->second = merged.node_;
    } else {
      at->second = item;
    }
  }
  node_ = copy;
}

void Table::Done() const {
  for (const auto& [key, item] : std::get<TomlNode::Map>(node_->value)) {
    if (node_->asked.contains(key)) continue;
    std::vector<std::string> known(node_->asked.begin(), node_->asked.end());
    std::string near = Nearest(key, known);
    Refuse(key, "unknown key",
           near.empty() ? Cat("known keys: ", Join(known, ", ")) : Cat("did you mean '", near, "'?"));
  }
}

}  // namespace atelier
