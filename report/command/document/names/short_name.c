/* Names of C++ and Rust as people say them: "std::string", "lambda in main". */
#include "report/command/document/model.h"

#include <stdlib.h>

/* The one just after what `open` begins: parentheses and angles are balanced. At the end of the
 * text where they are not. */
static const char *behind(const char *open)
{
    int depth = 0;
    const char *at = open;
    for (; *at; at++) {
        if (*at == '<' || *at == '(')
            depth++;
        /* the arrow of a return type is no angle */
        else if ((*at == '>' && (at == open || at[-1] != '-')) || *at == ')')
            depth--;
        if (depth == 0)
            return at + 1;
    }
    return at;
}

static const char *replace(struct dlw_region *region, const char *name, const char *old,
                           const char *with)
{
    const char *at;
    for (size_t from = 0; (at = strstr(name + from, old)); from += strlen(with)) {
        from = (size_t)(at - name);
        name = dlw_region_print(region, "%.*s%s%s", (int)from, name, with, at + strlen(old));
    }
    return name;
}

/* What a template takes when nobody says so. */
static const char *without_defaults(struct dlw_region *region, const char *name)
{
    static const char *const defaults[] = {", std::allocator<",      ", std::char_traits<",
                                           ", std::default_delete<", ", std::less<",
                                           ", std::hash<",           ", std::equal_to<"};
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        for (const char *at; (at = strstr(name, defaults[i]));) {
            const char *rest = behind(at + strlen(defaults[i]) - 1);
            name = dlw_region_print(region, "%.*s%s", (int)(at - name), name, rest);
        }
    return name;
}

/* Behind "{lambda(int)#1}", "{lambda}" and "<lambda(int)>", as compilers and debug information have
 * it; NULL: that is not what stands here. */
static const char *behind_lambda(const char *at)
{
    static const char word[] = "lambda";
    if (strncmp(at + 1, word, sizeof(word) - 1) != 0)
        return NULL;
    if (*at == '<')
        return behind(at);
    const char *end = at + sizeof(word), *close = strchr(*end == '(' ? behind(end) : end, '}');
    return close ? close + 1 : NULL;
}

/* "main::{lambda()#1}::operator()() const" is a lambda in main. */
static const char *lambda_name(struct dlw_region *region, const char *name)
{
    static const char call[] = "::operator()";
    const char *last = NULL;
    for (const char *at = name; (at = strpbrk(at, "{<")); at++) {
        const char *end = at - name > 2 ? behind_lambda(at) : NULL;
        if (end && strncmp(end, call, sizeof(call) - 1) == 0)
            last = at;
    }
    if (!last)
        return NULL;
    const char *outer = dlw_region_cut(region, name, (size_t)(last - name) - 2);
    return dlw_region_print(region, "lambda in %s", dlw_function_title(region, outer));
}

const char *dlw_short_name(struct dlw_region *region, const char *name)
{
    static const char *const words[][2] = {{"(anonymous namespace)::", ""},
                                           {"[abi:cxx11]", ""},
                                           {"std::__cxx11::", "std::"},
                                           {"std::__1::", "std::"}};
    static const char *const strings[][2] = {{"std::basic_string<char>", "std::string"},
                                             {"std::basic_string_view<char>", "std::string_view"}};
    if (!strpbrk(name, "<([{") && !strstr(name, "std::"))
        return name;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        name = replace(region, name, words[i][0], words[i][1]);
    const char *lambda = lambda_name(region, name);
    if (lambda)
        return lambda;
    if (!strchr(name, '<') || strstr(name, "operator"))
        return name;
    name = replace(region, without_defaults(region, name), " >", ">");
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        name = replace(region, name, strings[i][0], strings[i][1]);
    return name;
}

/* Where the parameters begin: outside of all angles, and not operator()'s own. */
static const char *parameters(const char *name)
{
    for (const char *at = name; *at;) {
        if (strncmp(at, "operator()", 10) == 0)
            at += 10;
        else if (*at == '(' && at > name)
            return at;
        else if (*at == '<' && behind(at)[-1] == '>')
            at = behind(at);
        else
            at++;
    }
    return NULL;
}

/* A function made of a template has the type that it returns in front. */
static const char *without_type(const char *name)
{
    const char *angle = strchr(name, '<'), *start = name;
    if (!angle || strncmp(name, "lambda in ", 10) == 0 || strstr(name, "operator"))
        return name;
    for (const char *at = name; *at;) {
        if (*at == ' ')
            start = at + 1;
        at = *at == '<' && behind(at)[-1] == '>' ? behind(at) : at + 1;
    }
    return *start ? start : name;
}

const char *dlw_function_title(struct dlw_region *region, const char *function)
{
    const char *name = dlw_short_name(region, function);
    const char *end = parameters(name);
    if (end)
        name = dlw_region_cut(region, name, (size_t)(end - name));
    return without_type(name);
}
