# holdfast's own warnings, on holdfast's own targets only; consumers inherit none.
function(holdfast_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
    -Wcast-qual -Woverloaded-virtual -Wdouble-promotion -Wformat=2
    # g++ 12 finds null pointers inside its own iostreams; clang's warning needs no optimiser.
    $<$<CXX_COMPILER_ID:Clang>:-Wnull-dereference>
    # g++ 12 warns of overlaps inside its own std::string at -O2 (GCC bug 105651).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  if(HOLDFAST_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
