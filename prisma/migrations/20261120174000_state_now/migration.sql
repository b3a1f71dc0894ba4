-- A statement that has waited for a row lock sees that row as it is now, and every other row as it was when the
-- statement began. Whether the operation that the row names still holds it has to be asked of the present: a
-- volatile function takes a snapshot of its own.
create function packline.state_now(operation bigint) returns packline.operation_state
language plpgsql volatile strict parallel unsafe as $$
begin
  return (select o.state from packline.operations o where o.id = operation);
end
$$;
