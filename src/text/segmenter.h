// Chinese text into words.
//
// Two segmenters: a model of our own, trained by TrainSegmenter (segmenter_trainer.h) and pulled as `segmenter-zh`, and
// ICU's word breaks for where no model is. Both keep numbers, Latin words, addresses and emoji whole (word_units.h) and
// both honour a user dictionary.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "text/segmenter_model.h"
#include "text/user_dictionary.h"

namespace atelier::text {

class Segmenter {
 public:
  virtual ~Segmenter() = default;
  // Words of `text` as views into it, in order, nothing lost: they join to the text. A stretch of white space is a
  // word. Bytes that are not UTF-8 are words of their own. Appends to `words`. Linear in the text; thread-safe.
  virtual void Segment(std::string_view text, std::vector<std::string_view>* words) const = 0;
};

// The model's: tags every unit as begin, middle, end of a word or a word by itself, best sequence by Viterbi. Words of
// the dictionary compete with a bonus of their weight (semi-Markov: exactly that word, begin to end).
std::unique_ptr<Segmenter> MakeModelSegmenter(std::shared_ptr<const SegmenterModel> model,
                                              std::shared_ptr<const UserDictionary> dictionary = nullptr);

// ICU's (its dictionary of Chinese and Japanese; word break rules of UAX #29). Dictionary words win over its breaks.
std::unique_ptr<Segmenter> MakeIcuSegmenter(std::shared_ptr<const UserDictionary> dictionary = nullptr);

}  // namespace atelier::text
