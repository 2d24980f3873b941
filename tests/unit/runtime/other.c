/* A library that holds no model. */
__attribute__((visibility("default"))) int nothing_of_a_model(void);

int nothing_of_a_model(void)
{
    return 0;
}
