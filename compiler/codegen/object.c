#include "codegen/object.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "support/memory.h"
#include "support/vector.h"

typedef struct {
    unsigned char *bytes;
    size_t size;
    Elf64_Shdr *sections;
    unsigned n_sections, symtab;
    Elf64_Sym *symbols;
    size_t n_symbols;
    const char *names;
} Object;

static bool in_bounds(const Object *object, uint64_t offset, uint64_t size)
{
    return offset <= object->size && size <= object->size - offset;
}

/* Finds the section headers and the symbol table; false when they are not as they should be. */
static bool object_open(Object *object, unsigned char *bytes, size_t size)
{
    *object = (Object){.bytes = bytes, .size = size};
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)(void *)bytes;
    if (size < sizeof *header || memcmp(bytes, ELFMAG, SELFMAG) || bytes[EI_CLASS] != ELFCLASS64) return false;
    if (header->e_type != ET_REL || header->e_shentsize != sizeof(Elf64_Shdr)) return false;
    object->n_sections = header->e_shnum;
    if (!in_bounds(object, header->e_shoff, (uint64_t)object->n_sections * sizeof(Elf64_Shdr))) return false;
    object->sections = (Elf64_Shdr *)(void *)(bytes + header->e_shoff);
    for (unsigned i = 0; i < object->n_sections; i++) {
        const Elf64_Shdr *section = &object->sections[i];
        if (section->sh_type != SHT_NOBITS && !in_bounds(object, section->sh_offset, section->sh_size)) return false;
        if (section->sh_type == SHT_SYMTAB) object->symtab = i;
    }
    const Elf64_Shdr *table = &object->sections[object->symtab];
    if (!object->symtab || table->sh_link >= object->n_sections) return false;
    object->symbols = (Elf64_Sym *)(void *)(bytes + table->sh_offset);
    object->n_symbols = table->sh_size / sizeof(Elf64_Sym);
    object->names = (const char *)bytes + object->sections[table->sh_link].sh_offset;
    return true;
}

static bool is_hidden_definition(const Elf64_Sym *symbol)
{
    return symbol->st_shndx != SHN_UNDEF && ELF64_ST_BIND(symbol->st_info) != STB_LOCAL &&
           ELF64_ST_VISIBILITY(symbol->st_other) == STV_HIDDEN;
}

/* Local symbols come first in a table: moves those that become local behind the old ones. order[old] is the new place.
 */
static void reorder_symbols(Object *object, uint32_t *order)
{
    Elf64_Shdr *table = &object->sections[object->symtab];
    Elf64_Sym *sorted = memory_alloc(object->n_symbols * sizeof *sorted);
    uint32_t next = 0;
    for (int locals = 1; locals >= 0; locals--) {
        for (uint32_t i = 0; i < object->n_symbols; i++) {
            const Elf64_Sym *symbol = &object->symbols[i];
            bool hidden = is_hidden_definition(symbol);
            if ((hidden || ELF64_ST_BIND(symbol->st_info) == STB_LOCAL) != locals) continue;
            sorted[next] = *symbol;
            if (hidden) sorted[next].st_info = ELF64_ST_INFO(STB_LOCAL, ELF64_ST_TYPE(symbol->st_info));
            if (hidden) sorted[next].st_other = STV_DEFAULT;
            order[i] = next++;
        }
        if (locals) table->sh_info = next;
    }
    memcpy(object->symbols, sorted, object->n_symbols * sizeof *sorted);
    memory_free(sorted);
}

static bool renumber_relocations(const Object *object, const Elf64_Shdr *section, const uint32_t *order)
{
    Elf64_Rela *relocations = (Elf64_Rela *)(void *)(object->bytes + section->sh_offset);
    for (size_t i = 0; i < section->sh_size / sizeof *relocations; i++) {
        uint64_t symbol = ELF64_R_SYM(relocations[i].r_info);
        if (symbol >= object->n_symbols) return false;
        relocations[i].r_info = ELF64_R_INFO((uint64_t)order[symbol], ELF64_R_TYPE(relocations[i].r_info));
    }
    return true;
}

bool object_hide(unsigned char *bytes, size_t size)
{
    Object object;
    if (!object_open(&object, bytes, size)) return false;
    uint32_t *order = memory_calloc(object.n_symbols + 1, sizeof *order);
    reorder_symbols(&object, order);
    bool good = true;
    for (unsigned i = 0; good && i < object.n_sections; i++) {
        Elf64_Shdr *section = &object.sections[i];
        if (section->sh_type == SHT_RELA) good = renumber_relocations(&object, section, order);
        if (section->sh_type == SHT_GROUP && section->sh_info < object.n_symbols)
            section->sh_info = order[section->sh_info];
        /* Lists of addresses taken name symbols by number too; they only help a linker to fold, so they may go. */
        if (section->sh_type == 0x6fff4c03) section->sh_type = SHT_NULL;
    }
    memory_free(order);
    return good;
}

size_t object_loaded(const unsigned char *bytes, size_t size)
{
    Object object;
    size_t loaded = 0;
    if (!object_open(&object, (unsigned char *)(uintptr_t)bytes, size)) return 0;
    for (unsigned i = 0; i < object.n_sections; i++)
        if (object.sections[i].sh_flags & SHF_ALLOC) loaded += object.sections[i].sh_size;
    return loaded;
}

/* ---- Archives ---- */

static void put_member_header(Text *to, const char *name, size_t size)
{
    text_format(to, "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name, 0, 0, 0, "644", size);
}

static void put_big_endian(Text *to, size_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        char byte = (char)(number >> shift);
        text_put(to, &byte, 1);
    }
}

bool archive_print(const unsigned char *bytes, size_t size, const char *member, Text *to)
{
    Object object;
    if (!object_open(&object, (unsigned char *)(uintptr_t)bytes, size)) return false;
    Text names = {0};
    size_t count = 0;
    for (size_t i = 0; i < object.n_symbols; i++) {
        const Elf64_Sym *symbol = &object.symbols[i];
        if (symbol->st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbol->st_info) == STB_LOCAL) continue;
        const char *name = object.names + symbol->st_name;
        text_put(&names, name, strlen(name) + 1);
        count++;
    }
    size_t index = 4 + 4 * count + names.count, padded = index + index % 2;
    text_string(to, "!<arch>\n");
    put_member_header(to, "/", padded);
    put_big_endian(to, count);
    for (size_t i = 0; i < count; i++) put_big_endian(to, 8 + 60 + padded);
    text_put(to, names.at ? names.at : "", names.count);
    if (index % 2) text_put(to, "", 1);
    char name[17];
    snprintf(name, sizeof name, "%.14s/", member);
    put_member_header(to, name, size);
    text_put(to, (const char *)bytes, size);
    if (size % 2) text_string(to, "\n");
    text_free(&names);
    return true;
}
