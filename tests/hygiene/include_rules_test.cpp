#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "hygiene/source_tree.hpp"

namespace holdfast::hygiene {
namespace {

/// What each layer may include, itself left out.
const std::map<std::string, std::set<std::string>>& arrows() {
  static const std::map<std::string, std::set<std::string>> table = {
      {"core", {}},
      {"codec", {"core"}},
      {"seal", {"core", "codec"}},
      {"db", {"core", "codec", "seal"}},
      {"backend", {"core", "codec", "seal", "db"}},
      {"wal", {"core", "codec"}},
      {"tier", {"core", "codec", "seal", "db", "backend", "wal"}},
      {"graph", {"core", "codec", "seal", "db", "backend", "wal", "tier"}},
      {"blocks", {"core", "codec", "seal", "db"}},
      {"testing", {"core", "codec", "seal", "db", "backend", "wal", "tier", "graph", "blocks"}},
  };
  return table;
}

/// The first folder of a path, "" when there is none.
std::string first_folder(std::string_view path) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

/// The layer a product file belongs to, "" for the umbrella header and the version.
std::string layer_of(const SourceFile& file) {
  constexpr std::string_view include_folder = "include/holdfast/";
  constexpr std::string_view source_folder = "src/";
  const auto start = file.under(include_folder) ? include_folder.size() : source_folder.size();
  return first_folder(std::string_view(file.path).substr(start));
}

bool is_product(const SourceFile& file) {
  return file.is_code() && (file.under("include/") || file.under("src/"));
}
bool is_public(const SourceFile& file) {
  return file.under("include/");
}

/// Standard C++ headers have neither a folder nor an ending.
bool is_standard(const std::string& name) {
  return name.find_first_of("/.") == std::string::npos;
}

bool begins_with_any(std::string_view name, std::initializer_list<std::string_view> beginnings) {
  for (const auto beginning : beginnings) {
    if (name.starts_with(beginning)) return true;
  }
  return false;
}

template <class Check>
void for_each_product_include(Include::Form form, Check check) {
  std::size_t seen = 0;
  for (const auto& file : source_files()) {
    if (!is_product(file)) continue;
    for (const auto& include : includes_of(file)) {
      if (include.form != form) continue;
      ++seen;
      check(file, include);
    }
  }
  EXPECT_GT(seen, 10U) << "the walk found too little to mean anything";
}

TEST(Includes, PointOnlyDownTheLayers) {
  for_each_product_include(Include::Form::quoted, [](const SourceFile& file, const Include& include) {
    constexpr std::string_view public_prefix = "holdfast/";
    const bool to_public = include.name.starts_with(public_prefix);
    const auto target =
        first_folder(std::string_view(include.name).substr(to_public ? public_prefix.size() : std::size_t{0}));
    const auto layer = layer_of(file);
    if (layer.empty() || target.empty() || target == layer) return;
    const auto allowed = arrows().find(layer);
    ASSERT_NE(allowed, arrows().end()) << at(file, include.line, "a layer the rules do not know: " + layer);
    EXPECT_TRUE(allowed->second.contains(target)) << at(file, include.line, layer + " must not include " + target);
  });
}

TEST(Includes, OfPublicHeadersNamePublicHeaders) {
  for_each_product_include(Include::Form::quoted, [](const SourceFile& file, const Include& include) {
    if (is_public(file)) {
      EXPECT_TRUE(include.name.starts_with("holdfast/")) << at(file, include.line, include.name);
    }
  });
}

TEST(Includes, OfALayersDetailComeFromThatLayer) {
  for_each_product_include(Include::Form::quoted, [](const SourceFile& file, const Include& include) {
    if (include.name.find("/detail/") == std::string::npos) return;
    EXPECT_TRUE(include.name.starts_with("holdfast/" + layer_of(file) + "/")) << at(file, include.line, include.name);
  });
}

TEST(Includes, OfPublicHeadersAreTheStandardLibraryOrOneOfTwoLibrariesInTheirPlaces) {
  for_each_product_include(Include::Form::angled, [](const SourceFile& file, const Include& include) {
    if (!is_public(file) || is_standard(include.name)) return;
    const bool json = file.path == "include/holdfast/codec/json.hpp" && include.name.starts_with("nlohmann/");
    const bool testing = file.under("include/holdfast/testing/") && begins_with_any(include.name, {"gtest/", "gmock/"});
    EXPECT_TRUE(json || testing) << at(file, include.line, include.name);
  });
}

TEST(Includes, OfThirdPartyLibrariesStayInTheirLayers) {
  for_each_product_include(Include::Form::angled, [](const SourceFile& file, const Include& include) {
    const auto where = at(file, include.line, include.name);
    if (include.name == "lmdb.h") {
      EXPECT_TRUE(file.under("src/db/")) << where;
    }
    if (include.name.starts_with("openssl/")) {
      EXPECT_TRUE(file.under("src/core/") || file.under("src/seal/")) << where;
    }
    if (include.name.starts_with("nlohmann/")) {
      EXPECT_EQ(file.path, "include/holdfast/codec/json.hpp") << where;
    }
  });
}

TEST(Includes, OfSystemCallsStayBelowTheSeam) {
  // <fcntl.h> may stand above it: it names the flags that FileOps::open takes.
  for_each_product_include(Include::Form::angled, [](const SourceFile& file, const Include& include) {
    const bool calls = begins_with_any(include.name, {"unistd.h", "sys/", "dirent.h", "fstream", "cstdio"});
    if (calls) {
      EXPECT_TRUE(file.under("src/core/") || file.under("src/db/")) << at(file, include.line, include.name);
    }
  });
}

}  // namespace
}  // namespace holdfast::hygiene
