# The compiler's library allocates and frees through support/memory.h alone, which its attempts know; and a block of
# theirs that was given to free would be freed twice. What the objects call is asked, so that macros and generated code
# count too.
#   sh allocations.sh NNC SOURCE
set -eu
build=$(dirname "$1")

# Two of them only to prove that calls are seen.
calls=$(nm -A --undefined-only "$build"/compiler/libnnc_*.a "$build"/grammar/libnnc_*.a | grep -v libnnc_driver)
printf '%s\n' "$calls" | grep -q 'memory.c.o: *U malloc$'
printf '%s\n' "$calls" | grep -q 'nn.*lex.*: *U memory_alloc$'

forbidden='malloc|calloc|realloc|reallocarray|free|strdup|strndup|aligned_alloc|posix_memalign|memalign|valloc'
forbidden="$forbidden|(__)?v?asprintf(_chk)?|getline|(__)?getdelim|open_memstream|scandir|wcsdup|exit|_exit"
bad=$(printf '%s\n' "$calls" | grep -E ": *U ($forbidden)\$" | grep -v 'libnnc_support.a:memory.c.o:' || true)
[ -z "$bad" ] || { printf 'not through support/memory.h:\n%s\n' "$bad" >&2; exit 1; }
