// Undo, and a look at the past: the history of a document, what changed between two points, and the way back.
#include <iostream>
#include <memory>

#include "holdfast/holdfast.hpp"

int main() {
  const holdfast::GraphStorage storage(std::make_shared<holdfast::MemoryBackend>(), "doc");
  holdfast::StateGraph document("doc");
  {
    const auto saved = holdfast::attach(document, storage, {.retention = holdfast::Retention::everything()});
    document.set("title", "Draft");
    document.batch([&] {
      document.set("title", "Report");
      document.set("author", "Ada");
    });
    document.remove("author");
  }

  for (const auto& point : holdfast::history("doc", storage)) {
    std::cout << "point " << point.seq << ": " << point.frame_count << " changes\n";
  }
  for (const auto& path : holdfast::diff_between("doc", storage, 3, 4).removed)
    std::cout << "removed: " << path << "\n";

  holdfast::restore(document, storage, {.target_seq = 3});
  std::cout << document.get("title")->get<std::string>() << " by " << document.get("author")->get<std::string>()
            << "\n";
}
