// A form on which people rate items: one HTML file that needs no network, keeps what was rated in the browser, and
// saves files that ReadFormRatings (form_ratings.h) takes. docs/formats/judge.md has the rubric and what is saved.
//
//   title = { zh = "...", en = "..." }    # and intro, optional
//   show = ["name", "headline", "body"]   # the items' fields that raters see; no other is in the page
//   lists = ["features"]                  # of them, those that are lists
//   names = { name = { zh = "名称", en = "Name" } }               # what raters read for a field; optional
//   id = "id"                             # the field that names an item; without it its number, from 1
//   system = "system"                     # the field that says what made it: shown, or with `blind` left out
//   [[criterion]]
//   name = "clear"
//   scale = [1, 5]                        # or labels = ["bad", "fair", "good"]
//   label, description, low, high = { zh = "...", en = "..." }   # optional; low and high: words for the ends
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/json.h"
#include "data/records.h"

namespace atelier::evaluate {

struct FormText {
  std::string zh, en;
  const std::string& In(bool chinese) const { return (chinese && !zh.empty()) || en.empty() ? zh : en; }
};

struct FormCriterion {
  std::string name;
  std::vector<std::string> answers;  // the lowest first
  FormText label, description, low, high;
};

struct FormRubric {
  FormText title, intro;
  std::vector<std::string> show, lists;
  std::vector<std::pair<std::string, FormText>> names;  // of shown fields
  std::string id, system;
  std::vector<FormCriterion> criteria;
};
// Throws Error(kInvalidInput) with file:line.
FormRubric ReadFormRubric(Table rubric);

struct FormItem {
  std::string id;      // blind: a code that tells nothing
  std::string source;  // the id as the file has it
  std::string system;  // "" where the rubric names no field
  Json fields;         // what raters see
};

struct RatingForm {
  FormRubric rubric;
  std::vector<FormItem> items;
  uint64_t seed = 0;
  bool blind = false;
  // SHA-256 of criteria and items, not of the words around them: a form in Chinese and one in English share it.
  std::string hash;
};
// Who knows a blind form's seed and can guess ids can tell what its codes stand for: draw one, and keep it.
// Throws Error(kInvalidInput) with file:line for an id that is empty or there twice, a field of `show` that no item
// has, no items and too many (5,000).
RatingForm MakeForm(FormRubric rubric, const std::vector<data::Record>& records, const std::string& file, bool blind,
                    uint64_t seed);

// As the page holds it: what its script reads, and what the hash is of.
Json FormData(const RatingForm& form, bool chinese);

// The page. Whatever items hold is data in it, never markup or script; a policy in the page lets it load nothing and
// run only its own script.
std::string FormPage(const RatingForm& form, bool chinese);

// What a page says of itself: enough to hold ratings against it.
struct FormKey {
  std::string hash;
  std::vector<FormCriterion> criteria;  // name and answers
  std::vector<std::string> items;       // ids
};
// Throws Error(kInvalidInput) for what is no page of FormPage, or was changed since.
FormKey ReadFormPage(std::string_view page, const std::string& file);

}  // namespace atelier::evaluate
