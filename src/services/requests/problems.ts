import { Failure, NotFoundError, ValidationError, type UserError } from '../../errors.ts';

/** Everything that is wrong with an input, so that it is told at once. */
export class Problems {
  private readonly found: UserError[] = [];

  add(error: UserError): void {
    this.found.push(error);
  }

  invalid(rule: string, message: string, ...path: string[]): void {
    this.add(new ValidationError(rule, message, ['input', ...path]));
  }

  missing(message: string, ...path: string[]): void {
    this.add(new NotFoundError(message, ['input', ...path]));
  }

  /** Ends the change where anything is wrong. */
  refuse(): void {
    if (this.found.length > 0) throw new Failure(...this.found);
  }
}
