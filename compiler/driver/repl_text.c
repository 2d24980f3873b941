/* Texts that the conversation takes in, and what it says of them. */
#include <string.h>

#include "driver/repl_session.h"
#include "driver/report.h"

const char session_prompt_name[] = "input";

const Syntax *session_parse_at(Session *session, const char *text, int line)
{
    Parser *parser = parser_new(session->context);
    parser_at_line(parser, line);
    ParserState state = parser_feed(parser, session_prompt_name, text, strlen(text));
    if (state == PARSER_INCOMPLETE) state = parser_finish(parser);
    const Syntax *file = state == PARSER_COMPLETE ? parser_take(parser) : NULL;
    parser_free(parser);
    return file;
}

const Syntax *session_parse(Session *session, const char *text)
{
    return session_parse_at(session, text, session->line);
}

bool session_report(Session *session)
{
    bool failed = diagnostics_errors(session->context->diagnostics) != 0;
    fflush(stdout);
    report(session->context);
    session->errors += failed;
    return failed;
}
