#include "host/stop.h"

#include "core/internal.h"

void nn_session_stop_at(nn_session *session, const volatile sig_atomic_t *stop)
{
    session->stop = stop;
}
