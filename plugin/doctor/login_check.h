/* The last step of a pull that can be tried without pulling: the registry's token service is given
 * the password, and says what it grants for it. Source: distribution's "Token Authentication
 * Specification". */
#ifndef DOCTOR_LOGIN_CHECK_H
#define DOCTOR_LOGIN_CHECK_H

struct http;
struct report;
struct token;

/* `challenge` is what the registry answered, "" if nothing; `path` that of the image,
 * "/team/app:v1" or "". `principal` is who has
 * obtained the password. Only a token service of ACR is sent the password. */
void login_check(struct report *report, const struct http *http, const char *challenge,
                 const struct token *token, const char *principal, const char *path);

#endif
