#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The repository as the hygiene tests see it: its text files, read once. Golden files and build folders are left out.
namespace holdfast::hygiene {

struct SourceFile {
  std::string path;  ///< from the top of the repository, with '/'
  std::vector<std::string> lines;

  [[nodiscard]] bool under(std::string_view folder) const { return path.starts_with(folder); }
  [[nodiscard]] bool named(std::string_view ending) const { return path.ends_with(ending); }
  [[nodiscard]] bool is_code() const { return named(".hpp") || named(".cpp"); }
  [[nodiscard]] std::string text() const;
};

/// One #include: `<name>` when angled, else `"name"`.
struct Include {
  enum class Form { angled, quoted };
  Form form = Form::quoted;
  std::string name;
  std::size_t line = 0;
};

const std::filesystem::path& source_root();
const std::vector<SourceFile>& source_files();
const SourceFile& source_file(std::string_view path);
std::vector<Include> includes_of(const SourceFile& file);

/// "path:line: what", for failures an editor can jump to.
std::string at(const SourceFile& file, std::size_t line, std::string_view what);

}  // namespace holdfast::hygiene
