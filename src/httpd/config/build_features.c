/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthFeature, and what a feature that is off leaves out. */
#include <string.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/config/settings.h"

static const char *feature_names(const na_builder *b)
{
    const char *names = "";
    for (const na_feature *f = na_features; f->name; f++)
        names = apr_pstrcat(b->pool, names,
                            f == na_features ? ""
                            : f[1].name      ? ", "
                                             : ", or ",
                            f->name, NULL);
    return names;
}

na_error *na_build_feature(na_builder *b, const na_directive *w)
{
    const na_feature *f = na_features;
    int on;
    NA_TRY(na_as_switch(b, w->argv[1], &on));
    while (f->name && strcmp(f->name, w->argv[0]) != 0)
        f++;
    if (!f->name)
        return na_wrong(b, "unknown feature '%s': expected %s", w->argv[0], feature_names(b));
    b->features_set |= f->bit;
    b->config->features &= ~f->bit;
    b->config->features |= on ? f->bit : 0;
    return NULL;
}

int na_build_feature_is_off(const na_builder *b, int feature)
{
    return (b->features_set & feature) && !(b->config->features & feature);
}

const na_directive *na_build_feature_at(const na_builder *b, const char *name)
{
    const apr_array_header_t *written = na_server_conf_of(b->server)->written;
    for (int i = written->nelts - 1; i >= 0; i--) {
        const na_directive *w = &APR_ARRAY_IDX(written, i, na_directive);
        if (w->id == NextAuthFeature && strcmp(w->argv[0], name) == 0)
            return w;
    }
    return NULL;
}

static int is_left_out(const na_builder *b, const na_provider *provider)
{
    int feature = provider->type == NA_EMAIL ? NA_FEATURE_MAGIC_LINKS : NA_FEATURE_OAUTH;
    return (provider->type <= NA_OAUTH || provider->type == NA_EMAIL) &&
           na_build_feature_is_off(b, feature);
}

/* The array stays the same: the configuration has it, too. */
void na_build_leave_out_providers(na_builder *b)
{
    apr_array_header_t *all = apr_array_copy(b->pool, b->providers);
    apr_array_clear(b->providers);
    for (int i = 0; i < all->nelts; i++) {
        na_provider *provider = APR_ARRAY_IDX(all, i, na_provider *);
        APR_ARRAY_PUSH(is_left_out(b, provider) ? b->left_out : b->providers, na_provider *) =
            provider;
    }
}
