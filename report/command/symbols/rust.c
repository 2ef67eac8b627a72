#include "report/command/symbols/rust.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What stands for a character that symbols can't have; 0: none. *length: of the escape. */
static char rust_escape(const char *at, size_t *length)
{
    static const struct {
        const char *text;
        char means;
    } words[] = {{"$LT$", '<'}, {"$GT$", '>'}, {"$LP$", '('}, {"$RP$", ')'},
                 {"$C$", ','},  {"$RF$", '&'}, {"$BP$", '*'}, {"$SP$", '@'}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *length = strlen(words[i].text);
        if (strncmp(at, words[i].text, *length) == 0)
            return words[i].means;
    }
    char *end;
    long code = strncmp(at, "$u", 2) == 0 ? strtol(at + 2, &end, 16) : 0;
    if (code < ' ' || code > '~' || *end != '$')
        return 0;
    *length = (size_t)(end - at) + 1;
    return (char)code;
}

/* ".." stands for "::". */
void dlw_rust_decode(char *name)
{
    char *out = name;
    bool begins = true;
    for (const char *at = name; *at; begins = out[-1] == ':') {
        size_t length;
        at += begins && at[0] == '_' && at[1] == '$';
        char means = *at == '$' ? rust_escape(at, &length) : 0;
        if (means) {
            *out++ = means;
            at += length;
        } else if (at[0] == '.' && at[1] == '.') {
            *out++ = ':';
            *out++ = ':';
            at += 2;
        } else {
            *out++ = *at++;
        }
    }
    *out = '\0';
}

/* ---- the newer mangling: a grammar, read by one function a rule ---- */

enum { DEEPEST = 64, MOST_RULES = 4096 };

struct parser {
    const char *text; /* after "_R": what numbers of back references count from */
    size_t at, n;
    char *out;
    size_t used, room;
    unsigned quiet; /* parts that are read and not said */
    unsigned depth, rules;
    bool failed;
};

static void say(struct parser *parser, const char *text, size_t n)
{
    if (parser->quiet || parser->failed)
        return;
    if (n >= parser->room - parser->used) {
        parser->failed = true;
        return;
    }
    memcpy(parser->out + parser->used, text, n);
    parser->used += n;
    parser->out[parser->used] = '\0';
}

static char next(struct parser *parser)
{
    if (parser->failed || parser->at >= parser->n) {
        parser->failed = true;
        return 0;
    }
    return parser->text[parser->at++];
}

static bool take(struct parser *parser, char wanted)
{
    if (parser->failed || parser->at >= parser->n || parser->text[parser->at] != wanted)
        return false;
    parser->at++;
    return true;
}

/* "_" is 0, else digits of base 62 say one less than the number. */
static uint64_t base62(struct parser *parser)
{
    uint64_t value = 0;
    if (take(parser, '_'))
        return 0;
    for (char c = next(parser); c != '_'; c = next(parser)) {
        unsigned digit = isdigit((unsigned char)c)   ? (unsigned)(c - '0')
                         : islower((unsigned char)c) ? (unsigned)(c - 'a') + 10
                         : isupper((unsigned char)c) ? (unsigned)(c - 'A') + 36
                                                     : 62;
        if (parser->failed || digit == 62) {
            parser->failed = true;
            return 0;
        }
        /* Places are small; what tells crates apart may be of any size. */
        if (value <= UINT32_MAX)
            value = value * 62 + digit;
    }
    return value + 1;
}

static void skip_disambiguator(struct parser *parser)
{
    if (take(parser, 's'))
        base62(parser);
}

static void identifier(struct parser *parser, const char *before)
{
    size_t length = 0;
    skip_disambiguator(parser);
    if (take(parser, 'u')) /* letters beyond ASCII, in another code */
        parser->failed = true;
    size_t digits = parser->at;
    while (!parser->failed && parser->at < parser->n && length < parser->n &&
           isdigit((unsigned char)parser->text[parser->at]))
        length = length * 10 + (size_t)(parser->text[parser->at++] - '0');
    digits = parser->at - digits;
    take(parser, '_');
    if (!digits || length > parser->n - parser->at)
        parser->failed = true;
    if (parser->failed || !length)
        return;
    say(parser, before, strlen(before));
    say(parser, parser->text + parser->at, length);
    parser->at += length;
}

static void path(struct parser *parser);
static void type(struct parser *parser);

/* Reads again what stood before; only ever backwards. */
static void back(struct parser *parser, void (*rule)(struct parser *parser))
{
    size_t here = parser->at - 1;
    uint64_t to = base62(parser);
    size_t after = parser->at;
    if (parser->failed || to >= here) {
        parser->failed = true;
        return;
    }
    parser->at = (size_t)to;
    rule(parser);
    parser->at = after;
}

static void quietly(struct parser *parser, void (*rule)(struct parser *parser))
{
    parser->quiet++;
    rule(parser);
    parser->quiet--;
}

static void constant(struct parser *parser)
{
    if (take(parser, 'B')) {
        back(parser, constant);
        return;
    }
    if (take(parser, 'p'))
        return;
    type(parser);
    while (!parser->failed && next(parser) != '_')
        continue;
}

static void generic_argument(struct parser *parser)
{
    if (take(parser, 'L'))
        base62(parser);
    else if (take(parser, 'K'))
        constant(parser);
    else
        type(parser);
}

/* "C" is a closure, "S" a shim, small letters say what kind of item it is. */
static void nested(struct parser *parser)
{
    char space = next(parser);
    path(parser);
    if (space == 'C' || space == 'S') {
        quietly(parser, skip_disambiguator);
        const char *word = space == 'C' ? "::{{closure}}" : "::{{shim}}";
        say(parser, word, strlen(word));
        identifier(parser, ":");
    } else {
        identifier(parser, "::");
    }
}

static void implementation(struct parser *parser)
{
    skip_disambiguator(parser);
    quietly(parser, path);
}

static void path_rule(struct parser *parser, char rule)
{
    switch (rule) {
    case 'C':
        identifier(parser, "");
        break;
    case 'N':
        nested(parser);
        break;
    case 'M':
        implementation(parser);
        type(parser);
        break;
    case 'X':
        implementation(parser);
        type(parser);
        quietly(parser, path);
        break;
    case 'Y':
        type(parser);
        quietly(parser, path);
        break;
    case 'I':
        path(parser);
        while (!parser->failed && !take(parser, 'E'))
            quietly(parser, generic_argument);
        break;
    case 'B':
        back(parser, path);
        break;
    default:
        parser->failed = true;
    }
}

/* Back references could be made to grow without end: rules are counted. */
static void path(struct parser *parser)
{
    if (++parser->depth > DEEPEST || ++parser->rules > MOST_RULES)
        parser->failed = true;
    path_rule(parser, next(parser));
    parser->depth--;
}

static void compound(struct parser *parser, char rule)
{
    switch (rule) {
    case 'R':
    case 'Q':
        if (take(parser, 'L'))
            base62(parser);
        type(parser);
        break;
    case 'P':
    case 'O':
    case 'S':
        type(parser);
        break;
    case 'A':
        type(parser);
        quietly(parser, constant);
        break;
    case 'T':
        say(parser, "(", 1);
        for (bool is_first = true; !parser->failed && !take(parser, 'E'); is_first = false) {
            say(parser, ", ", is_first ? 0 : 2);
            type(parser);
        }
        say(parser, ")", 1);
        break;
    case 'B':
        back(parser, type);
        break;
    default:
        parser->at--;
        path(parser);
    }
}

static void type(struct parser *parser)
{
    static const char *const basic[26] = {"i8",   "bool",  "char",  "f64", "str", "f32", NULL,
                                          "u8",   "isize", "usize", NULL,  "i32", "u32", "i128",
                                          "u128", "_",     NULL,    NULL,  "i16", "u16", "()",
                                          "...",  NULL,    "i64",   "u64", "!"};
    char rule = next(parser);
    if (++parser->depth > DEEPEST || ++parser->rules > MOST_RULES)
        parser->failed = true;
    if (!parser->failed && islower((unsigned char)rule)) {
        const char *name = basic[rule - 'a'];
        if (name)
            say(parser, name, strlen(name));
        else
            parser->failed = true;
    } else if (!parser->failed) {
        compound(parser, rule);
    }
    parser->depth--;
}

bool dlw_rust_demangle(const char *symbol, char *out, size_t room)
{
    if (strncmp(symbol, "_R", 2) != 0 || room < 2)
        return false;
    struct parser parser = {.text = symbol + 2, .out = out, .room = room};
    parser.n = strcspn(parser.text, ".$"); /* ".llvm.123" */
    *out = '\0';
    path(&parser);
    return !parser.failed && parser.used > 0;
}
