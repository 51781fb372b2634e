#include <holdfast/holdfast.hpp>
#include <iostream>

struct Part {
  std::string name;
  int count = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Part, name, count)

int main() {
  const auto store = std::make_shared<holdfast::LmdbBackend>(holdfast::LmdbOptions{.path = "stock"});
  holdfast::CommitGroup group(store);
  holdfast::KvTier<Part> parts(group, {.prefix = "parts/"});
  holdfast::AppendLogTier<std::string> history(group, {.name = "history"});

  group.update([&] {  // all of it or nothing, also when the power fails here
    auto bolts = parts.load("m6").value_or(Part{"bolt M6", 0});
    bolts.count += 12;
    parts.save("m6", bolts);
    history.append("12 bolts arrived");
  });

  std::cout << parts.load("m6")->count << " bolts, " << history.last_sequence() << " deliveries\n";
}
