/* skip.c - stands for the death suite where instructions cannot be stepped. */
#include <stdio.h>

int main(void)
{
	puts("death: skipped: " WHY);
	return 77;
}
