#include "holdfast/graph/restore.hpp"

#include <exception>
#include <utility>

#include "graph/replay.hpp"
#include "graph/stored_graph.hpp"

namespace holdfast {
namespace detail {

std::optional<RestoreResult> restore(const GraphPort& graph, const std::vector<GraphStorage>& storages,
                                     const RestoreOptions& options) {
  std::vector<std::exception_ptr> errors;
  for (std::size_t i = 0; i < storages.size(); ++i) {
    try {
      const StoredGraph stored(graph.name, storages[i]);
      auto replayed = replay(stored, options, ReplayUse::build);
      if (!replayed) continue;
      replayed->result.source = i;
      if (options.mode == RestoreMode::apply) {
        // Colder storages stand for older states of the same graph; those that could not be read do not.
        std::vector<Digest> origins = {stored.fingerprint()};
        for (std::size_t colder = i + 1; colder < storages.size(); ++colder) {
          origins.push_back(StoredGraph(graph.name, storages[colder]).fingerprint());
        }
        graph.replace(std::move(replayed->state));
        for (const Digest& origin : origins) graph.hub->add_origin(origin);
      }
      replayed->result.source_errors = std::move(errors);
      return std::move(replayed->result);
    } catch (const Error&) {
      if (storages.size() == 1) throw;
      errors.push_back(std::current_exception());
    }
  }
  if (!errors.empty()) std::rethrow_exception(errors.front());
  return std::nullopt;
}

}  // namespace detail

std::optional<RestoreResult> verify_log(std::string_view graph, const GraphStorage& storage,
                                        const RestoreOptions& options) {
  const detail::StoredGraph stored(graph, storage);
  auto replayed = detail::replay(stored, options, detail::ReplayUse::verify);
  if (!replayed) return std::nullopt;
  return std::move(replayed->result);
}

}  // namespace holdfast
