#include "display/notation.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- The language's own */

static void plain(const char *text, Text *to)
{
    text_string(to, text);
}

/* Whole numbers of a size that people write out stand without an exponent. */
static void plain_number(double value, Text *to)
{
    if (value == nearbyint(value) && fabs(value) < 1e6)
        text_format(to, "%.0f", value);
    else
        text_number(to, value);
}

static const Form text_forms[] = {
    {"if", "if @0 then @1 else @2", LEVEL_ANY, {LEVEL_OR, LEVEL_OR, LEVEL_ANY}, 3},
    {"or", "@0 or @1", LEVEL_OR, {LEVEL_AND, LEVEL_AND}, 2},
    {"and", "@0 and @1", LEVEL_AND, {LEVEL_COMPARE, LEVEL_COMPARE}, 2},
    {"not", "not @0", LEVEL_COMPARE, {LEVEL_COMPARE}, 1},
    {"==", "@0 == @1", LEVEL_COMPARE, {LEVEL_SUM, LEVEL_SUM}, 2},
    {"!=", "@0 != @1", LEVEL_COMPARE, {LEVEL_SUM, LEVEL_SUM}, 2},
    {"<", "@0 < @1", LEVEL_COMPARE, {LEVEL_SUM, LEVEL_SUM}, 2},
    {"<=", "@0 <= @1", LEVEL_COMPARE, {LEVEL_SUM, LEVEL_SUM}, 2},
    {">", "@0 > @1", LEVEL_COMPARE, {LEVEL_SUM, LEVEL_SUM}, 2},
    {">=", "@0 >= @1", LEVEL_COMPARE, {LEVEL_SUM, LEVEL_SUM}, 2},
    {"%", "@0 % @1", LEVEL_PRODUCT, {LEVEL_UNARY, LEVEL_UNARY}, 2},
    {"//", "@0 // @1", LEVEL_PRODUCT, {LEVEL_UNARY, LEVEL_UNARY}, 2},
    {"^", "@0^@1", LEVEL_POWER, {LEVEL_POSTFIX, LEVEL_POSTFIX}, 2},
    {"@", "@0 @ @1", LEVEL_PRODUCT, {LEVEL_PRODUCT, LEVEL_UNARY}, 2},
    {"T", "@0.T", LEVEL_POSTFIX, {LEVEL_POSTFIX}, 1},
    {"[]", "@0[@n]", LEVEL_POSTFIX, {LEVEL_POSTFIX}, 1},
    {"element", "@0[@n]", LEVEL_POSTFIX, {LEVEL_POSTFIX}, 1},
    {"[]", "@0[@1]", LEVEL_POSTFIX, {LEVEL_POSTFIX, LEVEL_ANY}, 2},
    {"column", "reshape(@0, @n)", LEVEL_POSTFIX, {LEVEL_ANY}, 1},
    {"row", "reshape(@0, @n)", LEVEL_POSTFIX, {LEVEL_ANY}, 1},
    {0},
};

const Notation notation_text = {
    .forms = text_forms,
    .root = {"sqrt", "sqrt(@0)", LEVEL_POSTFIX, {LEVEL_ANY}, 1},
    .call = {"", "@f(@*@,@n)", LEVEL_POSTFIX, {LEVEL_ANY}, 0},
    .open = "(",
    .close = ")",
    .tall = (const char *const[]){NULL},
    .times = " * ",
    .tight_times = "*",
    .entrywise = " * ",
    .divide = {"", " / ", ""},
    .tight_divide = {"", "/", ""},
    .raise = {"^", ""},
    .lower = {", ", ""},
    .label = {"t", ""},
    .lines = {"", "\n", ""},
    .put_name = plain,
    .put_function = plain,
    .put_number = plain_number,
    .put_note = plain,
};

/* ---- LaTeX */

static const char *const greek[] = {"alpha", "beta",  "gamma",  "delta", "epsilon", "zeta", "eta",
                                    "theta", "kappa", "lambda", "mu",    "nu",      "xi",   "pi",
                                    "rho",   "sigma", "tau",    "phi",   "chi",     "psi",  "omega"};

/* Letters of any alphabet that is not plain ASCII are text: an engine may lack them in its mathematical fonts. */
static bool is_plain(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)word[i] >= 0x80) return false;
    return true;
}

/* One letter leans, a Greek one is spelt, a longer word stands upright or leans as one word. */
static void put_word(const char *word, size_t length, bool upright, Text *to)
{
    for (size_t i = 0; i < sizeof greek / sizeof *greek; i++)
        if (strlen(greek[i]) == length && !memcmp(greek[i], word, length)) {
            text_format(to, "\\%s", greek[i]);
            return;
        }
    if (length != 1) text_string(to, !is_plain(word, length) ? "\\text{" : upright ? "\\mathrm{" : "\\mathit{");
    for (size_t i = 0; i < length; i++) {
        if (strchr("_#$%&{}", word[i])) text_string(to, "\\");
        text_put(to, word + i, 1);
    }
    if (length != 1) text_string(to, "}");
}

/* w12 -> w_{12}, h_prev -> h_{prev}, logits.dense.W -> W_{logits.dense}. */
static void latex_name(const char *name, Text *to)
{
    const char *dot = strrchr(name, '.'), *own = dot ? dot + 1 : name;
    size_t length = strcspn(own, "_"), digits = length;
    if (!length || own[length] != '_' || !own[length + 1]) length = digits = strlen(own);
    while (digits > 1 && isdigit((unsigned char)own[digits - 1])) digits--;
    put_word(own, digits, false, to);
    if (digits == strlen(own) && !dot) return;
    text_string(to, "_{");
    text_put(to, own + digits, length - digits);
    if (own[length]) {
        if (digits < length) text_string(to, ",");
        put_word(own + length + 1, strlen(own + length + 1), true, to);
    }
    if (dot) {
        if (digits < strlen(own)) text_string(to, ",");
        put_word(name, (size_t)(dot - name), true, to);
    }
    text_string(to, "}");
}

static void latex_number(double value, Text *to)
{
    Text digits = {0};
    plain_number(value, &digits);
    const char *text = text_get(&digits), *exponent = strchr(text, 'e');
    if (isinf(value))
        text_string(to, value < 0 ? "-\\infty" : "\\infty");
    else if (isnan(value))
        text_string(to, "\\mathrm{nan}");
    else if (exponent)
        text_format(to, "%.*s \\cdot 10^{%s}", (int)(exponent - text), text, exponent + 1);
    else
        text_string(to, text);
    text_free(&digits);
}

/* Words are names of sizes and of arguments; all else stands as it is. */
static void latex_note(const char *note, Text *to)
{
    while (*note) {
        size_t length = 0;
        while (isalpha((unsigned char)note[length]) || note[length] == '_' || (unsigned char)note[length] >= 0x80)
            length++;
        if (length)
            put_word(note, length, true, to);
        else
            text_put(to, note, length = 1);
        note += length;
    }
}

/* log_softmax -> log-softmax */
static void latex_function(const char *name, Text *to)
{
    for (; *name; name++) text_put(to, *name == '_' ? "-" : name, 1);
}

#define FUNCTION(name, command)                                                                                        \
    {                                                                                                                  \
        name, command "@(@0@)", LEVEL_POSTFIX, {LEVEL_ANY}, 1                                                          \
    }
#define RELATION(name, command)                                                                                        \
    {                                                                                                                  \
        name, "@0 " command " @1", LEVEL_COMPARE, {LEVEL_SUM, LEVEL_SUM}, 2                                            \
    }

static const Form latex_forms[] = {
    {"if",
     "\\begin{cases} @1 & \\text{if } @0 \\\\ @2 & \\text{otherwise} \\end{cases}",
     LEVEL_ANY,
     {LEVEL_ANY, LEVEL_ANY, LEVEL_ANY},
     3},
    {"or", "@0 \\lor @1", LEVEL_OR, {LEVEL_AND, LEVEL_AND}, 2},
    {"and", "@0 \\land @1", LEVEL_AND, {LEVEL_COMPARE, LEVEL_COMPARE}, 2},
    {"not", "\\lnot @0", LEVEL_COMPARE, {LEVEL_POSTFIX}, 1},
    RELATION("==", "="),
    RELATION("!=", "\\neq"),
    RELATION("<", "<"),
    RELATION("<=", "\\leq"),
    RELATION(">", ">"),
    RELATION(">=", "\\geq"),
    {"%", "@0 \\bmod @1", LEVEL_PRODUCT, {LEVEL_UNARY, LEVEL_UNARY}, 2},
    {"//", "\\left\\lfloor \\frac{@0}{@1} \\right\\rfloor", LEVEL_POSTFIX, {LEVEL_ANY, LEVEL_ANY}, 2},
    {"^", "@0^{@1}", LEVEL_POWER, {LEVEL_POSTFIX, LEVEL_ANY}, 2},
    {"@", "@0 \\, @1", LEVEL_MATRIX, {LEVEL_MATRIX, LEVEL_UNARY}, 2},
    {"T", "@0^{\\top}", LEVEL_POWER, {LEVEL_POSTFIX}, 1},
    {"[]", "{@0}_{[@n]}", LEVEL_POSTFIX, {LEVEL_POSTFIX}, 1},
    {"element", "{@0}_{@n}", LEVEL_POSTFIX, {LEVEL_POSTFIX}, 1},
    {"[]", "{@0}_{[@1]}", LEVEL_POSTFIX, {LEVEL_POSTFIX, LEVEL_ANY}, 2},
    {"column", "@0", LEVEL_OPERAND, {LEVEL_ANY}, 1},
    {"row", "@0^{\\top}", LEVEL_POWER, {LEVEL_POSTFIX}, 1},
    {"abs", "\\left|@0\\right|", LEVEL_POSTFIX, {LEVEL_ANY}, 1},
    {"floor", "\\left\\lfloor @0 \\right\\rfloor", LEVEL_POSTFIX, {LEVEL_ANY}, 1},
    {"ceil", "\\left\\lceil @0 \\right\\rceil", LEVEL_POSTFIX, {LEVEL_ANY}, 1},
    {"exp", "e^{@0}", LEVEL_POWER, {LEVEL_ANY}, 1},
    {"expm1", "e^{@0} - 1", LEVEL_SUM, {LEVEL_ANY}, 1},
    {"log1p", "\\log@(1 + @0@)", LEVEL_POSTFIX, {LEVEL_PRODUCT}, 1},
    {"sum", "\\sum@_ @0", LEVEL_PRODUCT, {LEVEL_UNARY}, 1},
    FUNCTION("sigmoid", "\\sigma"),
    FUNCTION("log", "\\log"),
    FUNCTION("sin", "\\sin"),
    FUNCTION("cos", "\\cos"),
    FUNCTION("tan", "\\tan"),
    FUNCTION("asin", "\\arcsin"),
    FUNCTION("acos", "\\arccos"),
    FUNCTION("atan", "\\arctan"),
    FUNCTION("sinh", "\\sinh"),
    FUNCTION("cosh", "\\cosh"),
    FUNCTION("tanh", "\\tanh"),
    {0},
};

const Notation notation_latex = {
    .forms = latex_forms,
    .root = {"sqrt", "\\sqrt{@0}", LEVEL_POSTFIX, {LEVEL_ANY}, 1},
    .call = {"", "\\operatorname{@f}@_@(@*@)", LEVEL_POSTFIX, {LEVEL_ANY}, 0},
    .open = "(",
    .close = ")",
    .tall_open = "\\left(",
    .tall_close = "\\right)",
    .tall = (const char *const[]){"\\frac", "\\begin", "\\sum", "\\left", NULL},
    .times = " \\, ",
    .tight_times = " \\, ",
    .entrywise = " \\odot ",
    .divide = {"\\frac{", "}{", "}"},
    .tight_divide = {"", "/", ""},
    .raise = {"^{", "}"},
    .lower = {"_{", "}"},
    .label = {"t_{", "}"},
    .lines = {"\\begin{aligned}\n& ", " \\\\\n& ", "\n\\end{aligned}"},
    .stacked = true,
    .put_name = latex_name,
    .put_function = latex_function,
    .put_number = latex_number,
    .put_note = latex_note,
};
