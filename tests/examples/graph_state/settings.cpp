// Settings that survive whatever ends the program: every change is stored before the call that made it returns.
//   settings <store>              shows them, and counts this start
//   settings <store> name value   changes one, then dies at once, as a crash would have it
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "holdfast/holdfast.hpp"

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) return std::cerr << "usage: settings <store> [name value]\n", 2;
  const auto store = std::make_shared<holdfast::LmdbBackend>(holdfast::LmdbOptions{.path = argv[1]});
  holdfast::StateGraph state("app");
  const auto saved =
      holdfast::attach(state, holdfast::GraphStorage(store, "app"), {.existing = holdfast::Existing::restore});

  auto starts = state.node<int>("starts");
  starts.set(starts.get().value_or(0) + 1);
  if (state.snapshot().subgraphs.empty()) state.mount("settings", {.name = "settings"});
  if (argc == 4) {
    state.set(std::string("settings::") + argv[2], argv[3]);
    std::raise(SIGKILL);
  }
  std::cout << "start " << *starts.get() << "\n";
  const holdfast::GraphSnapshot now = state.snapshot();
  for (const auto& [name, node] : now.find_graph("settings")->nodes) {
    std::cout << name << " = " << node.value->get<std::string>() << "\n";
  }
}
